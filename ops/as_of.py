"""The moment of the log that a command shows: ``--as-of OFFSET`` or ``--as-of TIME``."""

from datetime import datetime
from typing import Final, NamedTuple

import rich_click as click

from tables.times import to_milliseconds


class AsOf(NamedTuple):
    """After the command at ``offset``, or after the last one up to the time ``at`` (ms); without either, now."""

    offset: int | None = None
    at: int | None = None

    @classmethod
    def read(cls, text: str) -> "AsOf":
        """An offset, or a time in ISO 8601 with its offset from UTC. Raises ValueError."""
        if text.isascii() and text.isdecimal():
            return cls(offset=int(text))
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            raise ValueError("the time needs its offset from UTC, as in 2026-11-28T12:00:00Z")
        return cls(at=to_milliseconds(time))

    def includes(self, offset: int, at: int) -> bool:
        """Whether the command at that offset, appended at ``at`` (ms), comes before the moment."""
        return (self.offset is None or offset <= self.offset) and (self.at is None or at <= self.at)


NOW: Final = AsOf()


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
