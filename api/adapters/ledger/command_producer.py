"""The API's producer, mostly of ``ticket-commands``. It gives a record up soon, since a request waits for it."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError

from api.adapters.ledger.pending_requests import result_within
from api.problems import Unavailable
from connect.client_options import ClientOptions
from connect.partitioning import partition_of
from connect.records.connection import disconnect
from connect.topics import COMMANDS
from tables.ids import id_bytes
from tables.messages.announcements import Announced
from tables.messages.commands import encode_command
from telemetry.rate_limited import RateLimitedLog
from telemetry.traces import TRACEPARENT_HEADER, current_traceparent

KAFKA: Final = "kafka"
GIVE_UP_S: Final = 1.5
# After that nobody waits for an acknowledgement, which may still come.
ACKNOWLEDGED_WITHIN_S: Final = GIVE_UP_S + 0.3
RETRY_S: Final = 0.5
CONNECT_S: Final = 5.0
FLUSH_TIMEOUT_S: Final = 2.0
# Records within that time share a batch: fewer and fuller requests under load, this much latency when nearly idle.
LINGER_S: Final = 0.005
# Background records, which nobody waits for at a screen, gather longer if one comes so soon after another.
BACKGROUND_LINGER_S: Final = 0.02
BACKGROUND_GAP_S: Final = 0.05
BATCH_MAX_BYTES: Final = 256 * 1024

limited_log = RateLimitedLog(logging.getLogger(__name__))

# A partition of a topic.
Place = tuple[str, int]
# Called with the offset of the record.
Done = Callable[[int], object]
Failed = Callable[[Exception], object]


class CommandBatch:
    """Records of one partition that are sent together, and the callbacks of those who wait for them."""

    def __init__(self, producer: Any) -> None:
        self.producer = producer
        self.builder = producer.create_batch()
        self.began_at = time.monotonic()
        # When it is sent at the latest.
        self.due_at = float("inf")
        self.waiting: list[tuple[Done, Failed]] = []

    def add(self, key: bytes, value: bytes, done: Done, failed: Failed) -> bool:
        """Whether the batch had space for the record."""
        if self.builder.append(timestamp=None, key=key, value=value, headers=trace_headers() or []) is None:
            return False
        self.waiting.append((done, failed))
        return True

    def acknowledge(self, offset: int) -> None:
        """Call back: the records are in the log, the first of them at this offset."""
        for number, (done, _) in enumerate(self.waiting):
            done(offset + number)

    def fail(self, error: Exception) -> None:
        """Call back: the records are not known to be in the log."""
        for _, failed in self.waiting:
            failed(error)


class CommandProducer:
    """Produces records in the loop. Connects in the background and retries until it works.

    aiokafka makes a future for each record; this makes one for each batch, which saves a tenth of a purchase.

    It has room for one batch of a partition while another one is on its way. When both are taken, records gather here:
    of several batches that wait for room, aiokafka 0.14 gives up most long before their time.
    """

    def __init__(
        self,
        kafka: ClientOptions,
        partitions: int,
        connect: Callable[[ClientOptions], Any] | None = None,
        retry_s: float = RETRY_S,
        give_up_s: float = GIVE_UP_S,
    ) -> None:
        self._retry_s = retry_s
        self._give_up_s = give_up_s
        self._kafka = kafka
        self._connect = connect or make_producer
        self._producer: Any = None
        self._partitions = partitions
        # Of each partition the batch that takes records, those before it that are full, and whether one is handed over.
        self._batches: dict[Place, CommandBatch] = {}
        self._full: dict[Place, deque[CommandBatch]] = {}
        self._handing: set[Place] = set()
        self._background_at = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to connect."""
        self._opening = asyncio.create_task(self._open())

    @property
    def is_open(self) -> bool:
        """Whether the cluster was reached once and the topic is known."""
        return self._producer is not None

    def append(
        self,
        key: bytes,
        value: bytes,
        done: Done,
        failed: Failed,
        topic: str = COMMANDS,
        *,
        is_background: bool = False,
    ) -> None:
        """Send a record without waiting; one of the two functions is called in the end. Raises Unavailable.

        The topic has as many partitions as ``ticket-commands``. Nobody waits at a screen if ``is_background``.
        """
        if self._producer is None:
            raise Unavailable(KAFKA)
        place = topic, partition_of(key, self._partitions)
        batch = self._batches.get(place)
        if batch is None or not batch.add(key, value, done, failed):
            if batch is not None:
                self._full.setdefault(place, deque()).append(batch)
                self._hand_over(place)
            batch = self._batches[place] = CommandBatch(self._producer)
            batch.add(key, value, done, failed)
        now = time.monotonic()
        linger_s = self._background_linger_s(now) if is_background else LINGER_S
        due_at = now + linger_s
        if due_at < batch.due_at:
            batch.due_at = due_at
            asyncio.get_running_loop().call_later(linger_s, self._flush, place, batch)

    def _background_linger_s(self, now: float) -> float:
        is_soon, self._background_at = now - self._background_at < BACKGROUND_GAP_S, now
        return BACKGROUND_LINGER_S if is_soon else LINGER_S

    async def announce(self, event: Announced) -> None:
        """Send a definition and wait for the acknowledgement. Raises Unavailable."""
        await self.send(COMMANDS, id_bytes(event.event), encode_command(event))

    async def send(self, topic: str, key: bytes, *values: bytes, is_background: bool = False) -> None:
        """Send records of one key in their order, and wait for the acknowledgements. Raises Unavailable."""
        settled: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
        left = len(values)

        def end(error: object) -> None:
            nonlocal left
            left -= 1
            if settled.done():
                return
            if isinstance(error, Exception):
                settled.set_exception(error)
            elif not left:
                settled.set_result(True)

        for value in values:
            self.append(key, value, end, end, topic, is_background=is_background)
        try:
            acknowledged = await result_within(settled, ACKNOWLEDGED_WITHIN_S)
        except (KafkaError, TimeoutError) as error:
            raise Unavailable(KAFKA) from error
        if not acknowledged:
            raise Unavailable(KAFKA)

    async def close(self) -> None:
        """Flush, and disconnect."""
        if self._opening is not None:
            self._opening.cancel()
        for place, batch in list(self._batches.items()):
            self._flush(place, batch)
        producer, self._producer = self._producer, None
        deadline = time.monotonic() + FLUSH_TIMEOUT_S
        while self._tasks and (left := deadline - time.monotonic()) > 0:
            await asyncio.wait(self._tasks, timeout=left)
        if producer is not None:
            await disconnect(producer)

    def _flush(self, place: Place, batch: CommandBatch) -> None:
        if self._batches.get(place) is batch:
            self._hand_over(place)

    def _hand_over(self, place: Place) -> None:
        if place not in self._handing:
            self._handing.add(place)
            self._start(self._hand_over_all(place))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_over_all(self, place: Place) -> None:
        """Hand the batches of a partition over, one after the other, each as soon as there is room for it."""
        topic, partition = place
        while (batch := self._next(place)) is not None:
            try:
                if time.monotonic() - batch.began_at > self._give_up_s:
                    raise KafkaTimeoutError
                stored = await batch.producer.send_batch(batch.builder, topic, partition=partition)
            except Exception as error:  # noqa: BLE001 (whatever it is, those who wait must learn of it)
                self._failed(batch, error)
            else:
                self._start(self._settle(batch, stored))
        self._handing.discard(place)

    def _next(self, place: Place) -> CommandBatch | None:
        full = self._full.get(place)
        return full.popleft() if full else self._batches.pop(place, None)

    async def _settle(self, batch: CommandBatch, stored: Awaitable[Any]) -> None:
        try:
            offset: int = (await stored).offset
        except Exception as error:  # noqa: BLE001 (whatever it is, those who wait must learn of it)
            self._failed(batch, error)
        else:
            batch.acknowledge(offset)

    def _failed(self, batch: CommandBatch, error: Exception) -> None:
        batch.fail(error)
        # A subclass is an error of this batch; KafkaError itself is what a producer that has ended raises.
        if type(error) is KafkaError and batch.producer is self._producer:
            self._producer = None
            self.open()
            self._start(disconnect(batch.producer))  # The next batches, of the new producer, do not wait for that.

    async def _open(self) -> None:
        while True:
            producer = None
            try:
                producer = self._connect(self._kafka)
                async with asyncio.timeout(CONNECT_S):
                    await producer.start()
                    is_there = bool(await producer.partitions_for(COMMANDS))
            except Exception as error:  # noqa: BLE001 (whatever it is, no purchase could be sent without another try)
                limited_log.warning("connect", "cannot connect to %s yet: %r", COMMANDS, error)
            else:
                if is_there:
                    self._producer = producer
                    return
            if producer is not None:
                await disconnect(producer)
            await asyncio.sleep(self._retry_s)


def trace_headers() -> list[tuple[str, bytes]] | None:
    """The trace headers of the request under way; None unless that is sampled."""
    text = current_traceparent()
    return None if text is None else [(TRACEPARENT_HEADER, text.encode())]


def make_producer(kafka: ClientOptions) -> Any:
    """A producer that waits for all replicas and gives up after GIVE_UP_S.

    It is not idempotent: the ledger answers a repeated command as it did the first, and a producer whose records expire
    would have to begin a new sequence each time.
    """
    return AIOKafkaProducer(
        **kafka,
        client_id="turnstile-api",
        acks="all",
        enable_idempotence=False,
        max_batch_size=BATCH_MAX_BYTES,
        request_timeout_ms=int(GIVE_UP_S * 1000) - 100,
        retry_backoff_ms=50,
    )
