"""A list goes on behind a row that can't be told."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import pytest
from msgspec import msgpack

from api.problems import Refused
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


def test_a_cursor_that_is_nested_deeply_is_refused() -> None:
    position = b"\x93" + msgpack.encode(PagePosition(NOW, UUID(int=1)))[1:]
    cursor = urlsafe_b64encode(position + 3_000 * b"\x91" + b"\xc0").decode()
    with pytest.raises(Refused):
        decode_cursor(cursor, msgpack.Decoder(PagePosition))
