"""``turnstile restored``: what follows from a restore of PostgreSQL."""

import sys

import rich_click as click

from ops.restored import main


@click.command(name="restored")
def command() -> None:
    """Bring everything in step with a PostgreSQL that was restored from a backup. Any number of times.

    Logs a line a step. Exit code 1 with a line that says what has to be done first, 2 where a server doesn't answer.
    """
    sys.exit(main())
