"""The follower of ``ticket-purchase``: every outcome from now on, of every partition, in this process."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from kafka import TopicPartition
from kafka.errors import KafkaError

from connect.records.consumer import make_consumer as open_consumer
from connect.topics import OUTCOMES
from tables.errors import MalformedRecord
from telemetry.seldom import Seldom

POLL_MS: Final = 500
ASK_EVERY_S: Final = 2.0
LOST_AFTER_S: Final = 5.0
RETRY_S: Final = 0.5

log = logging.getLogger(__name__)
seldom = Seldom(log)

Deliver = Callable[[bytes | None, bytes | None], None]


class OutcomeFollower:
    """Reads without a group: each API process reads everything. After a fault it goes on where it was.

    ``connect`` makes the consumer of a list of servers.
    """

    def __init__(self, servers: str, deliver: Deliver, connect: Callable[[list[str]], Any] | None = None) -> None:
        self._servers = servers.split(",")
        self._deliver = deliver
        self._connect = connect or make_consumer
        self._positions: dict[TopicPartition, int] = {}
        self._seen_at = float("-inf")
        self._closed = False

    def open(self) -> None:
        """Begin to follow."""
        threading.Thread(target=self._run, name="outcome-follower", daemon=True).start()

    def close(self) -> None:
        """Stop following."""
        self._closed = True

    @property
    def is_following(self) -> bool:
        """Whether all partitions are assigned and the broker answered lately."""
        return time.monotonic() - self._seen_at < LOST_AFTER_S

    def _run(self) -> None:
        while not self._closed:
            try:
                self._follow()
            except Exception:  # noqa: BLE001 (whatever it is, it is tried again)
                seldom.warning("lost", "lost %s; trying again", OUTCOMES, exc_info=True)
                time.sleep(RETRY_S)

    def _follow(self) -> None:
        consumer = self._connect(self._servers)
        try:
            partitions = self._assign(consumer)
            while not self._closed:
                for batch in consumer.poll(timeout_ms=POLL_MS).values():
                    self._deliver_all(batch)
                self._ask(consumer, partitions)
        finally:
            consumer.close()

    def _assign(self, consumer: Any) -> list[TopicPartition]:
        numbers = consumer.partitions_for_topic(OUTCOMES)
        if not numbers:
            raise KafkaError(f"the topic {OUTCOMES} is not there yet")
        partitions = [TopicPartition(OUTCOMES, number) for number in sorted(numbers)]
        ends = consumer.end_offsets(partitions, timeout_ms=5_000)
        consumer.assign(partitions)
        for partition, end in ends.items():
            # The first end is a position too: what came since is read after a fault, even if it is all there is.
            # A log that ends before the position has lost its end, and goes on at the new one.
            self._positions[partition] = min(self._positions.get(partition, end), end)
            consumer.seek(partition, self._positions[partition])
        self._seen_at = time.monotonic()
        return partitions

    def _deliver_all(self, batch: list[Any]) -> None:
        for record in batch:
            try:
                self._deliver(record.key, record.value)
            except MalformedRecord as error:
                place = f"{record.topic}[{record.partition}]@{record.offset}"
                log.warning("no outcome: %r", error, extra={"record": place})
        self._positions[TopicPartition(batch[-1].topic, batch[-1].partition)] = batch[-1].offset + 1
        self._seen_at = time.monotonic()

    def _ask(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        """A quiet topic and a dead broker look alike to poll, so ask."""
        if time.monotonic() - self._seen_at < ASK_EVERY_S:
            return
        try:
            consumer.end_offsets(partitions, timeout_ms=1_000)
        except KafkaError as error:
            seldom.warning("asked", "the broker does not answer: %r", error)
        else:
            self._seen_at = time.monotonic()


def make_consumer(servers: list[str]) -> Any:
    """A consumer that belongs to no group and finds a restarted broker soon."""
    return open_consumer(
        servers,
        client_id="turnstile-api",
        group_id=None,
        auto_offset_reset="latest",
        max_poll_records=2_000,
        reconnect_backoff_max_ms=500,
        bootstrap_timeout_ms=5_000,
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )
