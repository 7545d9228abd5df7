"""The option ``--as-of OFFSET`` or ``--as-of TIME``: the moment of the log that a command shows."""

import rich_click as click

from tables.ledger.as_of import NOW, AsOf


def _read(_context: click.Context, _option: click.Parameter, text: str | None) -> AsOf:
    try:
        return NOW if text is None else AsOf.read(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


as_of_option = click.option(
    "--as-of",
    metavar="OFFSET|TIME",
    callback=_read,
    help="After the command at this offset of the event's partition, or at this time (ISO 8601).",
)
