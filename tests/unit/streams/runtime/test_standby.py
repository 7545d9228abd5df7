"""A standby copy equals its owner's table; the tables are real, Kafka is a list."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from aiokafka.errors import KafkaConnectionError

import streams.runtime.standby
import streams.runtime.table
from streams.runtime.standby import Standbys
from streams.runtime.table import OffsetTable
from tables.errors import InvariantBroken

Rows = list[tuple[bytes, bytes]]
HERS = 2


def value(offset: int) -> bytes:
    return msgspec.msgpack.encode([offset])


class Log:
    """A partition that is followed: what it has is given at once, then it waits."""

    def __init__(self, *rows: tuple[bytes, bytes]) -> None:
        self.rows = list(rows)
        self.fault: Exception | None = None
        self.followers = 0

    async def follow(self, servers: str, topic: str, begins: dict[int, int]) -> AsyncIterator[tuple[int, Rows, int]]:
        self.followers += 1
        begin = begins[HERS]
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        while True:
            for offset in range(begin, len(self.rows)):
                yield HERS, [self.rows[offset]], offset + 1
            begin = len(self.rows)
            await asyncio.sleep(0.001)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log((b"a", value(1)), (b"b", value(2)), (b"a", value(3)))
    monkeypatch.setattr(streams.runtime.table, "follow", log.follow)
    return log


async def until(standbys: Standbys, table: OffsetTable, mark: int) -> None:
    standbys.begin({table: {HERS}})
    for _ in range(1_000):
        if table.mark(HERS) == mark:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"the mark is {table.mark(HERS)}, not {mark}")


def test_a_copy_follows_what_its_owner_appends(table: OffsetTable, log: Log) -> None:
    async def follow() -> None:
        standbys = Standbys(retry_interval_s=0.0)
        await until(standbys, table, 2)
        log.rows.append((b"b", value(4)))
        await until(standbys, table, 3)
        standbys.end()

    asyncio.run(follow())
    assert table.read_all(HERS, [b"a", b"b"]) == [value(3), value(4)]


def test_an_older_record_changes_nothing_and_the_mark_waits_until_it_is_written_over(
    table: OffsetTable, log: Log
) -> None:
    async def follow() -> None:
        standbys = Standbys(retry_interval_s=0.0)
        log.rows.append((b"a", value(2)))
        standbys.begin({table: {HERS}})
        await asyncio.sleep(0.05)
        assert (table.read(HERS, b"a"), table.mark(HERS)) == (value(3), 2)
        log.rows.append((b"a", value(3)))
        await until(standbys, table, 4)
        standbys.end()

    asyncio.run(follow())


def test_after_the_end_nothing_more_is_written(table: OffsetTable, log: Log) -> None:
    async def follow() -> None:
        standbys = Standbys(retry_interval_s=0.0)
        await until(standbys, table, 2)
        standbys.end()
        log.rows.append((b"a", value(9)))
        await asyncio.sleep(0.05)

    asyncio.run(follow())
    assert table.read(HERS, b"a") == value(3)


def test_a_copy_waits_while_kafka_fails(table: OffsetTable, log: Log) -> None:
    log.fault = KafkaConnectionError()

    async def follow() -> None:
        standbys = Standbys(retry_interval_s=0.0)
        await until(standbys, table, 2)
        standbys.end()

    asyncio.run(follow())
    assert log.followers == 2


def test_a_folder_that_knows_more_than_the_changelog_ends_the_process(
    table: OffsetTable, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []

    def fail_stop(doing: str, error: BaseException) -> None:
        ended.append(f"{doing}: {error}")
        raise asyncio.CancelledError

    monkeypatch.setattr(streams.runtime.standby, "fail_stop", fail_stop)
    log.fault = InvariantBroken("the folder knows more")

    async def follow() -> None:
        standbys = Standbys(retry_interval_s=0.0)
        standbys.begin({table: {HERS}})
        await asyncio.sleep(0.05)

    asyncio.run(follow())
    assert ended == ["a standby: the folder knows more"]
