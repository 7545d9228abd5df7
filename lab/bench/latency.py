"""The latency of a command to its outcome: an open loop, timed from the intended moment of sending."""

import asyncio
import math
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from connect.topics import COMMANDS, OUTCOMES
from lab.bench.orders import Show, purchases
from settings import Settings
from tables.messages.commands import encode_command
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
class Probed:
    """One purchase: its intended moment of sending (s, monotonic clock), and the seconds until its outcome came."""

    at: float
    seconds: float


async def probe(
    settings: Settings, on_sale: list[Show], rate: float, more: Callable[[], bool], tick: Callable[[int], None] = _quiet
) -> list[Probed]:
    """Purchases at ``rate`` a second while ``more`` is true, without those of the warm-up.

    Raises TimeoutError if an outcome is missing at the end.
    """
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_servers, acks="all")
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_servers, enable_auto_commit=False)
    await producer.start()
    await consumer.start()
    try:
        places = [TopicPartition(OUTCOMES, number) for number in range(settings.partitions)]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        probed = await _OpenLoop(producer, consumer, on_sale, tick).run(rate, more)
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
        on_sale: list[Show],
        tick: Callable[[int], None],
    ) -> None:
        self.producer, self.consumer, self.tick = producer, consumer, tick
        self.keys = {show.key for show in on_sale}
        self.purchases = purchases(on_sale, sys.maxsize, random.Random())
        self.intended: dict[UUID, float] = {}
        self.probed: list[Probed] = []
        self.answered = asyncio.Event()

    async def run(self, rate: float, more: Callable[[], bool]) -> list[Probed]:
        """Send on time, without waiting for outcomes."""
        receiving = asyncio.create_task(self._receive())
        began = time.monotonic()
        sent = 0
        try:
            while more():
                await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
                show, purchase = next(self.purchases)
                self.intended[purchase.purchase] = began + sent / rate
                self.answered.clear()
                await self.producer.send(COMMANDS, encode_command(purchase), key=show.key, partition=show.partition)
                sent += 1
            async with asyncio.timeout(STALL_TIMEOUT_S):
                await self.answered.wait()
        finally:
            receiving.cancel()
        return self.probed

    async def _receive(self) -> None:
        while True:
            record = await self.consumer.getone()
            if record.key in self.keys:
                self._received(decode_outcome(record.value).purchase, time.monotonic())

    def _received(self, purchase: UUID | None, now: float) -> None:
        meant = self.intended.pop(purchase, None) if purchase else None
        if meant is not None:
            self.probed.append(Probed(meant, now - meant))
            if not self.intended:
                self.answered.set()
            self.tick(len(self.probed))
