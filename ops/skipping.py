"""How an operator leads the ledger past commands that its log has lost: their offsets are taken for decided.

The group's committed offset is moved and carries the operator's reason, which tells the worker that all offsets below
it are accounted for (tables/ledger/continuity.py). A log that ends too early is first filled up, because a decided
offset must never be given to another command; commands that were written there meanwhile are appended again at the end,
with those that the ledger has decided and not committed. A command that is appended again changes nothing if it was
decided before.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager, closing
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import NoError
from kafka.structs import OffsetAndMetadata

from connect.client_options import client_options
from connect.observe.lag import make_client
from connect.polling import Polling
from connect.records.connection import started
from connect.topics import ACCEPTED_PREFIX, group
from ops import actions
from settings import Settings
from streams.runtime.headers import forwarded_headers
from streams.runtime.kafka_types import Headers
from streams.runtime.topic_reader import reading_topic
from tables.errors import TurnstileError
from tables.ledger.continuity import LogBounds

LEDGER: Final = group("ledger")
FILLER: Final = b"skipped"
FILL_MAX_RECORDS: Final = 10_000_000
REASON_MAX_CHARS: Final = 1_000
CHUNK_RECORDS: Final = 1_000
# A worker that has ended is a member of its group until its session expires, and its supervisor may restart it.
EMPTY_GROUP_TIMEOUT_S: Final = 60

Append = Callable[..., Awaitable[None]]


class SkipRefused(TurnstileError):
    """The offsets can't be skipped or sent again; the message gives the reason."""


def refusal(log: LogBounds, committed: int | None, first: int, last: int, there: int | None) -> str | None:
    """Why the offsets from ``first`` to ``last`` can't be skipped; None if they can.

    ``there`` is the first of them that the log has and the ledger has yet to read.
    """
    read = f"the ledger has read up to offset {(committed or 0) - 1}"
    reasons = (
        (first > last or first < 0, f"{first} to {last} are not offsets"),
        (there is not None, f"offset {there} is still in the log: only what the log lacks can be skipped"),
        (last + 1 < log.begin, f"the log begins at offset {log.begin}: skip up to {log.begin - 1}"),
        (committed is not None and last + 1 < committed, f"{read}: skip up to there"),
        (committed is not None and first > committed and last < log.end, f"{read}: skip from {committed} on"),
        (
            last - log.end >= FILL_MAX_RECORDS,
            f"the log ends at offset {log.end}, more than {FILL_MAX_RECORDS} before that: a new ledger is needed",
        ),
    )
    return next((why for applies, why in reasons if applies), None)


def skip(now: Settings, place: TopicPartition, first: int, last: int, reason: str, reader: str = LEDGER) -> int:
    """Take the offsets of the ledger's input for decided by the group ``reader``.

    Returns how many commands were appended again. Raises SkipRefused, KafkaError.
    """
    with closing(make_client(client_options(now))) as admin:
        log, committed = _state(admin, place, reader)
        there = asyncio.run(_first_of(now, place, max(first, committed or 0, log.begin), min(last, log.end - 1)))
        why = refusal(log, committed, first, last, there)
        if why is not None:
            raise SkipRefused(f"{_named(place)}: {why}")
        actions.record(client_options(now), "ledger skip", reason, partition=place.partition, first=first, last=last)
        _accept(admin, place, last + 1, reason, reader)
    if last < log.end:
        return 0
    asyncio.run(_fill(now, place, last + 1 - log.end))
    return asyncio.run(_append_again(now, place, max(_unread(first, committed), log.begin), last))


def resend(now: Settings, place: TopicPartition, first: int, last: int, reason: str, reader: str = LEDGER) -> int:
    """Append the commands at decided offsets again; how many. Raises as ``skip``."""
    with closing(make_client(client_options(now))) as admin:
        log, committed = _state(admin, place, reader)
        if not log.begin <= first <= last < log.end:
            raise SkipRefused(f"{_named(place)} has the offsets from {log.begin} to {log.end - 1}")
        actions.record(client_options(now), "ledger resend", reason, partition=place.partition, first=first, last=last)
        _accept(admin, place, max(committed or 0, last + 1), reason, reader)
    return asyncio.run(_append_again(now, place, max(_unread(first, committed), log.begin), last))


def _unread(first: int, committed: int | None) -> int:
    """From where on commands are appended again: a ledger that crashed has decided more than it has committed."""
    return first if committed is None else min(first, committed)


def _named(place: TopicPartition) -> str:
    return f"{place.topic}[{place.partition}]"


def _state(admin: Any, place: TopicPartition, reader: str) -> tuple[LogBounds, int | None]:
    """The partition's two ends, and the group's committed offset."""
    [begin] = admin.list_partition_offsets({place: OffsetSpec.EARLIEST}).values()
    [end] = admin.list_partition_offsets({place: OffsetSpec.LATEST}).values()
    committed = admin.list_group_offsets({reader: [place]})[reader].get(place)
    known = committed is not None and committed.offset >= 0
    return LogBounds(begin.offset, end.offset), committed.offset if known else None


def _accept(admin: Any, place: TopicPartition, offset: int, reason: str, reader: str) -> None:
    """Commit an offset with the operator's reason, as soon as the group has no member."""
    wanted = {place: OffsetAndMetadata(offset, f"{ACCEPTED_PREFIX}{reason}"[:REASON_MAX_CHARS], -1)}
    polling = Polling(EMPTY_GROUP_TIMEOUT_S)
    while any(answer is not NoError for answer in admin.alter_group_offsets(reader, wanted).values()):
        if not polling.left:
            raise SkipRefused("stop the workers of the role ledger first: they hold on to where they are")
        polling.wait()


async def _records(now: Settings, place: TopicPartition, first: int, last: int) -> AsyncGenerator[Any, None]:
    """The readable records from ``first`` to ``last``, which the log is known to reach. Raises KafkaError."""
    begins, ends = {place.partition: first}, {place.partition: last + 1}
    async with (
        reading_topic(client_options(now), place.topic, CHUNK_RECORDS, begins) as reader,
        aclosing(reader.records(begins, ends)) as polls,
    ):
        async for records in polls:
            for one in records:
                if one.offset <= last:
                    yield one


async def _first_of(now: Settings, place: TopicPartition, first: int, last: int) -> int | None:
    async with aclosing(_records(now, place, first, last)) as records:
        async for one in records:
            return int(one.offset)
    return None


@asynccontextmanager
async def _appending(now: Settings, place: TopicPartition) -> AsyncIterator[Append]:
    """A function that appends a record to a partition: in the order of the calls, and all of them by the end.

    Raises KafkaError.
    """
    producer = AIOKafkaProducer(**client_options(now), acks="all", compression_type="gzip", linger_ms=20)
    under_way: list[Any] = []

    async def append(value: bytes, key: bytes | None = None, headers: Headers = ()) -> None:
        under_way.append(await producer.send(place.topic, value, key, place.partition, headers=list(headers)))
        if len(under_way) == CHUNK_RECORDS:
            await asyncio.gather(*under_way)
            under_way.clear()

    async with started(producer):
        yield append
        await asyncio.gather(*under_way)


async def _fill(now: Settings, place: TopicPartition, count: int) -> None:
    """Append records that are no commands."""
    async with _appending(now, place) as append:
        for _ in range(count):
            await append(FILLER)


async def _append_again(now: Settings, place: TopicPartition, first: int, last: int) -> int:
    """Append the records between the offsets once more in their order, without the fillers."""
    count = 0
    async with _appending(now, place) as append:
        async for one in _records(now, place, first, last):
            if one.value is not None and one.value != FILLER:
                await append(one.value, one.key, forwarded_headers(one))
                count += 1
    return count


async def append_all(now: Settings, place: TopicPartition, rows: Iterable[tuple[bytes, bytes]]) -> None:
    """Append keys with their values to a partition, in their order. Raises KafkaError."""
    async with _appending(now, place) as append:
        for key, value in rows:
            await append(value, key)
