"""A list goes on behind a row that can't be told."""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import msgpack

from api.schemas.pagination import InvalidRow, PagePosition, PageQuery, decode_cursor, page

NOW = datetime(2030, 1, 2, tzinfo=UTC)


class Item(NamedTuple):
    created_at: datetime
    id: UUID


def test_a_page_leaves_out_what_cannot_be_told_and_the_next_one_begins_behind_it() -> None:
    rows: list[Item | InvalidRow] = [Item(NOW, UUID(int=3)), InvalidRow(NOW, UUID(int=2)), Item(NOW, UUID(int=1))]

    items, cursor = page(PageQuery(limit=2), lambda limit, after: rows[:limit])

    assert items == [rows[0]]
    assert cursor is not None
    assert decode_cursor(cursor, msgpack.Decoder(PagePosition)) == PagePosition(NOW, UUID(int=2))
