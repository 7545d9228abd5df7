"""The latency of a command to its outcome, or of a request to its answer.

An open loop, timed from the intended moment of sending.
"""

import asyncio
import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from connect.topics import COMMANDS, OUTCOMES
from lab.bench.orders import Show, purchases
from settings import Settings
from tables.messages.commands import Buy, encode_command
from tables.messages.outcomes import decode_outcome

STALL_TIMEOUT_S = 30.0
WARM_UP_COUNT = 20


def _quiet(done: int) -> None:
    return


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all don't exceed (nearest rank). Raises ValueError without values."""
    if not values:
        raise ValueError("no values, no percentile")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Way:
    """The topics of purchases and of what becomes of them, and the purchase that such a record is about."""

    purchases: str
    results: str
    purchase_of: Callable[[bytes], UUID | None]


LEDGER: Final = Way(COMMANDS, OUTCOMES, lambda value: decode_outcome(value).purchase)


@dataclass(frozen=True, slots=True)
class Probed:
    """One purchase: its intended moment of sending (s, monotonic clock), and the seconds until its result came."""

    at: float
    seconds: float


async def probe(
    settings: Settings, on_sale: list[Show], rate: float, more: Callable[[], bool], tick: Callable[[int], None] = _quiet
) -> list[Probed]:
    """Purchases at ``rate`` a second while ``more`` is true, without those of the warm-up.

    Raises TimeoutError if an outcome is missing at the end.
    """
    return await probe_way(settings, LEDGER, purchases(on_sale, sys.maxsize, random.Random()), rate, more, tick)


async def probe_way(
    settings: Settings,
    way: Way,
    orders: Iterator[tuple[Show, Buy]],
    rate: float,
    more: Callable[[], bool],
    tick: Callable[[int], None] = _quiet,
) -> list[Probed]:
    """As ``probe``, these purchases on their way; ``orders`` must not end before ``more`` does."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_servers, acks="all")
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_servers, enable_auto_commit=False)
    await producer.start()
    await consumer.start()
    try:
        places = [TopicPartition(way.results, number) for number in range(settings.partitions)]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        probed = await _OpenLoop(producer, consumer, way, orders, tick).run(rate, more)
        return sorted(probed, key=lambda one: one.at)[WARM_UP_COUNT:]
    finally:
        await producer.stop()
        await consumer.stop()


async def latencies(
    settings: Settings, on_sale: list[Show], count: int, rate: float, tick: Callable[[int], None]
) -> list[float]:
    """Seconds of each of ``count`` purchases at ``rate`` a second, after a warm-up."""
    left = iter(range(WARM_UP_COUNT + count))
    probed = await probe(settings, on_sale, rate, lambda: next(left, None) is not None, tick)
    return [one.seconds for one in probed]


class _OpenLoop:
    def __init__(
        self,
        producer: AIOKafkaProducer,
        consumer: AIOKafkaConsumer,
        way: Way,
        orders: Iterator[tuple[Show, Buy]],
        tick: Callable[[int], None],
    ) -> None:
        self.producer, self.consumer, self.way, self.tick = producer, consumer, way, tick
        self.orders = orders
        self.keys: set[bytes] = set()
        self.intended: dict[UUID, float] = {}
        self.probed: list[Probed] = []
        self.answered = asyncio.Event()

    async def run(self, rate: float, more: Callable[[], bool]) -> list[Probed]:
        """Send on time, without waiting for results."""
        receiving = asyncio.create_task(self._receive())
        began = time.monotonic()
        sent = 0
        try:
            while more():
                await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
                await self._send(*next(self.orders), meant=began + sent / rate)
                sent += 1
            async with asyncio.timeout(STALL_TIMEOUT_S):
                await self.answered.wait()
        finally:
            receiving.cancel()
        return self.probed

    async def _send(self, show: Show, purchase: Buy, *, meant: float) -> None:
        self.keys.add(show.key)
        self.intended[purchase.purchase] = meant
        self.answered.clear()
        value = encode_command(purchase)
        await self.producer.send(self.way.purchases, value, key=show.key, partition=show.partition)

    async def _receive(self) -> None:
        while True:
            record = await self.consumer.getone()
            if record.key in self.keys:
                self._received(self.way.purchase_of(record.value), time.monotonic())

    def _received(self, purchase: UUID | None, now: float) -> None:
        meant = self.intended.pop(purchase, None) if purchase else None
        if meant is not None:
            self.probed.append(Probed(meant, now - meant))
            if not self.intended:
                self.answered.set()
            self.tick(len(self.probed))
