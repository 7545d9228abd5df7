"""How the ledger's agent goes through the partitions of a batch."""

import asyncio

import pytest

from streams.batches import Interrupted
from streams.ledger import side_by_side


def test_where_one_partition_is_given_up_no_other_is_written_to_any_more() -> None:
    written: list[int] = []
    released = asyncio.Event()

    async def write(partition: int, *, interrupted: bool) -> None:
        await asyncio.sleep(0)
        if interrupted:
            raise Interrupted
        await released.wait()
        written.append(partition)

    async def run() -> None:
        with pytest.raises(Interrupted):
            await side_by_side(write(number, interrupted=number == 1) for number in range(3))
        released.set()
        await asyncio.sleep(0)

    asyncio.run(run())
    assert written == []
