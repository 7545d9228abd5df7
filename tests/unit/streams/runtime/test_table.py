"""What a worker appends to a changelog, and where its mark is then."""

import asyncio
from typing import Any

import pytest

from connect.topics import changelog
from streams.runtime import table as table_module
from streams.runtime.kafka_types import Record
from streams.runtime.produce import Produced
from streams.runtime.table import OffsetTable, next_mark

Batch = list[bytes | None]


@pytest.fixture
def appended(monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    """The keys of the records of each append, which is acknowledged before it returns."""
    appended: list[Batch] = []

    async def append(app: Any, topic: str, partition: int, records: list[Record]) -> Produced:
        assert (topic, partition) == (changelog("ledger"), 2)
        end = sum(map(len, appended))
        appended.append([record.key for record in records])
        return Produced(range(end, end + len(records)))

    monkeypatch.setattr(table_module, "append", append)
    return appended


@pytest.mark.parametrize(
    ("mark", "appended", "count", "new_mark"),
    [
        (None, range(3), 3, 2),
        (2, range(3, 5), 2, 4),
        (2, range(0), 0, None),
        (2, range(4, 6), 2, None),
        (2, range(3, 6), 2, None),
        (None, range(5, 6), 1, None),
    ],
)
def test_the_mark_moves_only_over_what_this_worker_appended_itself(
    mark: int | None, appended: range, count: int, new_mark: int | None
) -> None:
    assert next_mark(mark, appended, count) == new_mark


@pytest.mark.parametrize(
    ("share", "batches"),
    [
        (0.3, [[b"purchase", b"event"]]),
        (0.7, [[b"purchase"], [b"event"]]),
        (1.5, [[b"purchase"], [b"event"]]),
    ],
    ids=["both fit a batch", "each fits a batch", "neither fits a batch"],
)
def test_groups_are_appended_as_one_only_where_they_fit_one_produced_batch(
    share: float, batches: list[Batch], appended: list[Batch], table: OffsetTable
) -> None:
    value = b"x" * int(table.app.conf.producer_max_batch_size * share)

    asyncio.run(table.publish(2, {b"purchase": value}, {b"event": value}))

    assert appended == batches
    assert table.mark(2) == 1


def test_many_small_records_count_with_what_a_batch_needs_for_each(appended: list[Batch], table: OffsetTable) -> None:
    count = table.app.conf.producer_max_batch_size // 16
    purchases = {number.to_bytes(8, "big"): b"" for number in range(count)}

    asyncio.run(table.publish(2, purchases, {b"event": b""}))

    assert [len(batch) for batch in appended] == [count, 1]
