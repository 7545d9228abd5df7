"""Row changes as Debezium sends them, flattened: the columns, and ``__op``, ``__deleted``, ``__lsn``."""

from datetime import datetime
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct, field

from tables.errors import MalformedRecord
from tables.messages.encoding import decode_json

# A deletion's version, which may be one more, is within Elasticsearch's bound; WAL positions are smaller.
Position = Annotated[int, Meta(ge=0, le=2**63 - 2)]
# Of the field __deleted; the second is ours.
GONE: Final = "true"
UNREADABLE: Final = "unreadable"
# What Debezium writes for a value that is stored out of line and did not change, where the log does not have it.
UNAVAILABLE: Final = b'"__debezium_unavailable_value"'
Moment = Annotated[datetime, Meta(tz=True)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]


class RowChange(Struct, frozen=True, kw_only=True):
    """The fields of every row change.

    ``lsn`` is its WAL position, in a snapshot that of the snapshot. ``revision`` is the row's own, which a trigger
    raises; 0 in records from before it.
    """

    id: UUID
    lsn: Position = field(name="__lsn")
    deleted: str = field(name="__deleted", default="false")
    revision: Position = 0

    @property
    def is_delete(self) -> bool:
        """Whether the row is gone, or can't be read."""
        return self.deleted in (GONE, UNREADABLE)

    @property
    def version(self) -> int:
        """Grows with every change of the row, however its records arrive.

        A revision is above the positions of all earlier changes of the row, and not above that of its own. A deletion
        has no revision of its own, but tells the last one. Its position is above that, unless the rows came with a
        restore to a server whose positions start over.
        """
        if self.deleted == GONE:
            return max(self.lsn, self.revision + 1)
        return self.revision or self.lsn


class EventRow(RowChange, frozen=True, kw_only=True):
    """A row of ``event``. Times are UTC; ``offers`` and ``stock`` are JSON texts (tables/offers.py).

    ``traceparent`` is that of the change, if it is traced.
    """

    organizer_id: UUID | None = None
    organizer_name: str = ""
    title: str = ""
    description: str | None = None
    venue: str | None = None
    city: str | None = None
    country: str | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    tags: list[str] | None = None
    status: str = ""
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    time_zone: str | None = None
    capacity: int | None = None
    offers: str = "[]"
    stock: str = "{}"
    traceparent: str | None = None


class AccountRow(RowChange, frozen=True, kw_only=True):
    """The captured columns of a row of ``account``."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    locale: str | None = None


Row = TypeVar("Row", RowChange, EventRow, AccountRow)

# Not strict: Debezium writes decimals as strings.
_decoders: Final[dict[type[Any], Any]] = {
    row: msgspec.json.Decoder(row, strict=False) for row in (RowChange, EventRow, AccountRow)
}


def decode_row(value: bytes | None, row: type[Row]) -> Row:
    """The change in a record's value, as ``row``. Raises MalformedRecord, which names the wrong field.

    Also where the log lacks a value.
    """
    if row is not RowChange and value is not None and UNAVAILABLE in value:
        raise MalformedRecord("the log lacks a value that did not change: see REPLICA IDENTITY in docs/capture.md")
    decoded: Row = decode_json(_decoders[row], value, MalformedRecord)
    return decoded


def decode_event(value: bytes | None) -> tuple[EventRow, MalformedRecord | None]:
    """The change of an event. A malformed one becomes a deletion of the event, with the error.

    Raises MalformedRecord where even the id or the WAL position is malformed, or where the log lacks a value: the
    document of an older row is better than none.
    """
    try:
        return decode_row(value, EventRow), None
    except MalformedRecord as error:
        change = decode_row(value, RowChange)
        if not change.is_delete and value is not None and UNAVAILABLE in value:
            raise
        deleted = GONE if change.is_delete else UNREADABLE
        return EventRow(id=change.id, lsn=change.lsn, revision=change.revision, deleted=deleted), error
