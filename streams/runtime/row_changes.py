"""Row changes as Debezium sends them, flattened: the columns, and ``__op``, ``__deleted``, ``__lsn``."""

from datetime import datetime
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct, field

from tables.errors import MalformedRecord
from tables.messages.decoding import decode_json

# A version of Elasticsearch's; PostgreSQL's own places in the log are smaller.
Position = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Moment = Annotated[datetime, Meta(tz=True)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]


class Change(Struct, frozen=True, kw_only=True):
    """What every row change has; ``lsn`` is its place in PostgreSQL's log, the row's external version."""

    id: UUID
    lsn: Position = field(name="__lsn")
    deleted: str = field(name="__deleted", default="false")

    @property
    def is_delete(self) -> bool:
        """Whether the row is gone."""
        return self.deleted == "true"


class EventRow(Change, frozen=True, kw_only=True):
    """A row of ``event``. Times are UTC; ``offers`` and ``stock`` are JSON texts (tables/offers.py).

    ``traceparent`` is that of the change which the row tells of, if it is traced.
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
    offers: str = "[]"
    stock: str = "{}"
    traceparent: str | None = None


class AccountRow(Change, frozen=True, kw_only=True):
    """The captured columns of a row of ``account``."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    locale: str | None = None


Row = TypeVar("Row", Change, EventRow, AccountRow)

# A number in a text, as Debezium writes decimals, is a number.
_decoders: Final[dict[type[Any], Any]] = {
    row: msgspec.json.Decoder(row, strict=False) for row in (Change, EventRow, AccountRow)
}


def decode_row(value: bytes | None, row: type[Row]) -> Row:
    """The change in a record's value, as ``row``. Raises MalformedRecord naming the wrong field."""
    decoded: Row = decode_json(_decoders[row], value, MalformedRecord)
    return decoded


def decode_event(value: bytes | None) -> tuple[EventRow, MalformedRecord | None]:
    """The change of an event; of one that can't be told, that the event is gone, and what is wrong.

    Raises MalformedRecord for what does not even tell which event changed, and where in the log.
    """
    try:
        return decode_row(value, EventRow), None
    except MalformedRecord as error:
        change = decode_row(value, Change)
        return EventRow(id=change.id, lsn=change.lsn, deleted="true"), error
