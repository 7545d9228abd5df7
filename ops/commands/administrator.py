"""``turnstile administrator``: the first account that may do everything."""

import sys

import rich_click as click

from api.administrator import main


@click.command(name="administrator")
def command() -> None:
    """Make the first administrator's account, unless its address has one already.

    The settings TURNSTILE_ADMIN_EMAIL and TURNSTILE_ADMIN_PASSWORD say which. Exit code 2 for a password that is short
    or easy to guess, and where PostgreSQL does not answer.
    """
    sys.exit(main())
