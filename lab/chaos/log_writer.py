"""The records of a chaos run: appended over a proxy, in transactions, in batches of our own, or copied.

Only plain records go over the proxy. The history has an entry of each with the offset that Kafka acknowledged.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from connect.records.fetching import SkippedOffsets
from lab.chaos.history import History
from lab.chaos.record_batch import BatchAppender, RawRecord, record_batch
from lab.chaos.workload.operation import Operation

APPEND_TIMEOUT_S: Final = 20.0
REQUEST_TIMEOUT_MS: Final = 4_000
TRANSACTION_TIMEOUT_MS: Final = 10_000
READ_TIMEOUT_MS: Final = 2_000
# aiokafka asserts that it knows a broker, which a broker that has just started doesn't tell.
NOT_SENT: Final = (KafkaError, TimeoutError, AssertionError)
# The groups that must have committed a record before it is copied: until then a repeat may be an ordinary replay.
READERS: Final = {"ticket-purchase": ("turnstile-notifications", "turnstile-sales")}

Json = dict[str, Any]


class LogWriter:
    """Appends records to the broker at ``proxied`` or, without a proxy, at ``direct``. An async context manager."""

    def __init__(self, proxied: str, direct: str, history: History) -> None:
        self._direct, self._history = direct, history
        self._producer = AIOKafkaProducer(
            bootstrap_servers=proxied, acks="all", request_timeout_ms=REQUEST_TIMEOUT_MS, enable_idempotence=False
        )
        self._copier = AIOKafkaProducer(bootstrap_servers=direct, acks="all")
        self._admin = AIOKafkaAdminClient(bootstrap_servers=direct)

    async def __aenter__(self) -> Self:
        try:
            for each in (self._producer, self._copier, self._admin):
                await each.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in (self._producer, self._copier):
            await each.stop()
        await self._admin.close()

    async def append(self, operation: Operation) -> None:
        """Append the operation's record as often as it says."""
        for _ in range(operation.times):
            await self._append(operation)

    async def _append(self, operation: Operation) -> None:
        """Append a record once; without an acknowledgement it may be in the log or not."""
        began, offset = time.time(), None
        packed = operation.codec or operation.odd_header
        send = self._transact if operation.ends else self._pack if packed else self._send
        with suppress(*NOT_SENT):
            async with asyncio.timeout(APPEND_TIMEOUT_S):
                offset = await send(operation)
        more: Json = {"ends": operation.ends} if operation.ends else {}
        self._history.note(
            operation.name,
            began,
            n=operation.n,
            topic=operation.topic,
            partition=operation.partition,
            offset=offset,
            **more,
        )

    async def _send(self, operation: Operation) -> int:
        return await _send_by(self._producer, operation)

    async def _transact(self, operation: Operation) -> int:
        """Append a record in a transaction of its own, without a proxy; its offset, after the transaction has ended."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._direct,
            transactional_id=f"chaos-{operation.n}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        )
        try:
            await producer.start()
            await producer.begin_transaction()
            offset = await _send_by(producer, operation)
            await (producer.commit_transaction() if operation.ends == "commit" else producer.abort_transaction())
            return offset
        finally:
            with suppress(TimeoutError):  # it waits for brokers that are down
                async with asyncio.timeout(APPEND_TIMEOUT_S):
                    await producer.stop()

    async def _pack(self, operation: Operation) -> int:
        """Append a batch that no client library would write, without a proxy."""
        odd = [(bytes.fromhex(operation.odd_header), b"x")] if operation.odd_header else []
        headers = [*((name.encode(), text.encode()) for name, text in operation.headers.items()), *odd]
        record = RawRecord(operation.key.encode(), (operation.value or "").encode() + bytes(operation.zeros), headers)
        batch = record_batch([record], at_ms=round(time.time() * 1000), codec=operation.codec or "none")
        async with BatchAppender(self._direct, [operation.topic]) as appender:
            return await appender.append(operation.topic, operation.partition or 0, batch)

    async def copy(self, operation: Operation) -> None:
        """Append an older record once more, unchanged."""
        began = time.time()
        place = TopicPartition(operation.topic, operation.partition)
        with suppress(KafkaError, TimeoutError, UnicodeDecodeError):  # clients can't read every header
            async with asyncio.timeout(APPEND_TIMEOUT_S):
                end = await self._old_end(place)
                record = await self._record(place, int(operation.share * end)) if end else None
                if record is None:
                    return
                sent = await self._copier.send_and_wait(
                    operation.topic,
                    record.value,
                    key=record.key,
                    partition=operation.partition,
                    headers=list(record.headers),
                )
                more = {"partition": operation.partition, "offset": sent.offset, "original": record.offset}
                self._history.note("copy", began, n=operation.n, topic=operation.topic, **more)

    async def _old_end(self, place: TopicPartition) -> int:
        """The offset below which a record may be copied: its READERS have committed it."""
        committed = [
            (await self._admin.list_consumer_group_offsets(group)).get(place) for group in READERS.get(place.topic, ())
        ]
        if committed:
            return min(0 if each is None else int(each.offset) for each in committed)
        return await self._end(place)

    async def _end(self, place: TopicPartition) -> int:
        async with self._reader(place) as reader:
            return int((await reader.end_offsets([place]))[place])

    async def _record(self, place: TopicPartition, offset: int) -> Any:
        async with self._reader(place) as reader:
            reader.seek(place, offset)
            found = await reader.getmany(place, timeout_ms=READ_TIMEOUT_MS, max_records=1)
            # In a process where consumers tell of skipped offsets, too, there may be no record.
            records = (record for records in found.values() for record in records)
            return next((record for record in records if not isinstance(record, SkippedOffsets)), None)

    @asynccontextmanager
    async def _reader(self, place: TopicPartition) -> AsyncIterator[AIOKafkaConsumer]:
        """A consumer of one partition; it is closed even if it could not be started."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._direct, enable_auto_commit=False, isolation_level="read_committed"
        )
        try:
            await consumer.start()
            consumer.assign([place])
            yield consumer
        finally:
            await consumer.stop()


async def _send_by(producer: AIOKafkaProducer, operation: Operation) -> int:
    value = None if operation.value is None else operation.value.encode()
    headers = [(name, text.encode()) for name, text in operation.headers.items()]
    place = await producer.send_and_wait(
        operation.topic, value, key=operation.key.encode(), partition=operation.partition, headers=headers
    )
    return int(place.offset)
