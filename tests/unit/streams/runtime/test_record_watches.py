"""Waiting for a change of a record, with a timeout longer than the test may take."""

import asyncio
from collections.abc import Callable

import pytest

from streams.runtime.indexed_table import RecordWatches
from streams.runtime.table import OffsetTable

FOREVER_S = 1_000


def has_ended(watches: RecordWatches, store: Callable[[], object]) -> bool:
    """Whether a wait for the record ``key`` of partition 1 ends with ``store``."""

    async def run() -> bool:
        wait = asyncio.create_task(watches.wait(1, b"key", FOREVER_S))
        await asyncio.sleep(0)
        store()
        done, _ = await asyncio.wait([wait], timeout=0)
        for _ in range(3):
            await asyncio.sleep(0)
        ended = wait.done()
        wait.cancel()
        return ended or bool(done)

    return asyncio.run(run())


def test_a_wait_ends_when_the_table_stores_the_record(table: OffsetTable) -> None:
    assert has_ended(table.watches, lambda: table.store(1, {b"key": b"\x91\x01"}))


@pytest.mark.parametrize(("partition", "key"), [(2, b"key"), (1, b"other")])
def test_a_wait_goes_on_when_another_record_is_stored(partition: int, key: bytes) -> None:
    watches = RecordWatches()
    assert not has_ended(watches, lambda: watches.stored(partition, {key}))


def test_all_waits_for_a_record_end_and_none_is_remembered() -> None:
    async def run(watches: RecordWatches) -> None:
        waits = [asyncio.create_task(watches.wait(1, b"key", FOREVER_S)) for _ in range(3)]
        waits.append(asyncio.create_task(watches.wait(1, b"other", 0)))
        await asyncio.sleep(0)
        watches.stored(1, {b"key"})
        await asyncio.gather(*waits)
        assert watches.is_idle

    asyncio.run(run(RecordWatches()))
