"""``turnstile wal-segment``: an argument for ``pg_resetwal``."""

from datetime import UTC, datetime

import rich_click as click

from connect.wal_position import segment


@click.command(name="wal-segment")
def command() -> None:
    """Print the segment at which the log of a restored PostgreSQL has to begin, for `pg_resetwal -l`."""
    click.echo(segment(datetime.now(UTC)))
