"""Row changes as Debezium sends them, flattened: the columns, and ``__op``, ``__deleted``, ``__lsn``."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, field

from tables.errors import MalformedRecord


class Change(Struct, frozen=True, kw_only=True):
    """What every row change has; ``lsn`` is its place in PostgreSQL's log, the row's external version."""

    id: UUID
    lsn: int = field(name="__lsn")
    deleted: str = field(name="__deleted", default="false")

    @property
    def is_delete(self) -> bool:
        """Whether the row is gone."""
        return self.deleted == "true"


class EventRow(Change, frozen=True, kw_only=True):
    """A row of ``event``."""

    organizer_id: UUID | None = None
    title: str = ""
    description: str | None = None
    venue: str | None = None
    city: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    tags: list[str] | None = None
    status: str = ""
    starts_at: str | None = None
    ends_at: str | None = None
    time_zone: str | None = None


class AccountRow(Change, frozen=True, kw_only=True):
    """The captured columns of a row of ``account``."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    locale: str | None = None


def decode_row(value: bytes, row: type[Any]) -> Any:
    """The change in a record's value, as ``row``. Raises MalformedRecord naming the wrong field."""
    try:
        return msgspec.json.decode(value, type=row, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedRecord(str(error)) from error
