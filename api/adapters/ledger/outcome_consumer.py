"""The follower of ``ticket-purchase``: every outcome from now on, of every partition, in this process' loop."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connect.records.fetching import READ_COMMITTED, SkippedOffsets, install
from connect.records.unread import count_unreadable
from connect.topics import OUTCOMES
from tables.errors import MalformedRecord
from telemetry.rate_limited import RateLimitedLog

POLL_MS: Final = 500
ASK_EVERY_S: Final = 2.0
ASK_WITHIN_S: Final = 1.0
CONNECT_S: Final = 5.0
LOST_AFTER_S: Final = 5.0
RETRY_S: Final = 0.5

log = logging.getLogger(__name__)
seldom = RateLimitedLog(log)

Deliver = Callable[[bytes | None, bytes | None], None]
Ends = dict[TopicPartition, int]


class OutcomeFollower:
    """Reads without a group: each API process reads everything. After a fault it goes on where it was.

    ``connect`` makes the consumer of a list of servers.
    """

    def __init__(self, servers: str, deliver: Deliver, connect: Callable[[list[str]], Any] | None = None) -> None:
        self._servers = servers.split(",")
        self._deliver = deliver
        self._connect = connect or make_consumer
        self._positions: Ends = {}
        # Where the log ended when it was asked last, while nothing came.
        self._due: Ends = {}
        self._seen_at = float("-inf")
        self._following: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to follow."""
        self._following = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop following."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])

    @property
    def is_following(self) -> bool:
        """Whether all partitions are assigned and the broker answered lately."""
        return time.monotonic() - self._seen_at < LOST_AFTER_S

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except Exception:  # noqa: BLE001 (whatever it is, it is tried again)
                seldom.warning("lost", "lost %s; trying again", OUTCOMES, exc_info=True)
                await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        consumer = self._connect(self._servers)
        try:
            await asyncio.wait_for(consumer.start(), CONNECT_S)
            await self._assign(consumer)
            while True:
                for partition, batch in (await consumer.getmany(timeout_ms=POLL_MS)).items():
                    self._deliver_all(partition, batch)
                await self._ask(consumer)
        finally:
            await consumer.stop()

    async def _assign(self, consumer: Any) -> None:
        partitions = sorted(consumer.assignment())
        if not partitions:
            raise KafkaError(f"the topic {OUTCOMES} is not there yet")
        ends = await asyncio.wait_for(consumer.end_offsets(partitions), CONNECT_S)
        # What aiokafka assigned by the topic's name it would assign anew, at the ends, if partitions were added.
        consumer.unsubscribe()
        consumer.assign(partitions)
        for partition, end in ends.items():
            # The first end is a position too: what came since is read after a fault, even if it is all there is.
            # A log that ends before the position has lost its end, and goes on at the new one.
            self._positions[partition] = min(self._positions.get(partition, end), end)
            consumer.seek(partition, self._positions[partition])
        self._due = {}
        self._seen_at = time.monotonic()

    def _deliver_all(self, partition: TopicPartition, batch: list[Any]) -> None:
        for record in batch:
            if isinstance(record, SkippedOffsets):
                if record.error is not None:
                    count_unreadable(OUTCOMES, partition.partition, record.offset, record.last, record.error)
                continue
            try:
                self._deliver(record.key, record.value)
            except MalformedRecord as error:
                place = f"{record.topic}[{record.partition}]@{record.offset}"
                log.warning("no outcome: %r", error, extra={"record": place})
        last = batch[-1]
        self._positions[partition] = (last.last if isinstance(last, SkippedOffsets) else last.offset) + 1
        self._seen_at = time.monotonic()

    async def _ask(self, consumer: Any) -> None:
        """A quiet topic and a dead broker look alike to a poll, so ask. Raises KafkaError where the polls are stuck."""
        if time.monotonic() - self._seen_at < ASK_EVERY_S:
            return
        behind = [each for each, due in self._due.items() if self._positions[each] < due]
        if behind:
            raise KafkaError(f"nothing comes of {behind} any more")
        try:
            self._due = await asyncio.wait_for(consumer.end_offsets(list(self._positions)), ASK_WITHIN_S)
        except (KafkaError, TimeoutError) as error:
            seldom.warning("asked", "the broker does not answer: %r", error)
        else:
            self._seen_at = time.monotonic()


def make_consumer(servers: list[str]) -> Any:
    """A consumer that belongs to no group, reads committed records, and finds a restarted broker soon."""
    install()
    return AIOKafkaConsumer(
        OUTCOMES,
        bootstrap_servers=servers,
        client_id="turnstile-api",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="latest",
        isolation_level=READ_COMMITTED,
        request_timeout_ms=5_000,
        retry_backoff_ms=100,
    )
