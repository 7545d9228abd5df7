"""How long a command takes until its outcome is received: an open loop, timed from the intended moment of sending."""

import asyncio
import math
import random
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.orders import Show, purchases
from connect.topics import COMMANDS, OUTCOMES
from settings import Settings
from tables.commands import encode_command
from tables.outcomes import decode_outcome

PATIENCE_S = 30.0
WARM_UP = 20


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all don't exceed (nearest rank). Raises ValueError without values."""
    if not values:
        raise ValueError("no values, no percentile")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


async def latencies(
    settings: Settings, on_sale: list[Show], count: int, rate: float, tick: Callable[[int], None]
) -> list[float]:
    """Seconds of each of ``count`` purchases at ``rate`` a second. Some more go before them to warm up."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_servers, acks="all")
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_servers, enable_auto_commit=False)
    await producer.start()
    await consumer.start()
    try:
        places = [TopicPartition(OUTCOMES, number) for number in range(settings.partitions)]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        return await _Loop(producer, consumer, rate, tick).run(on_sale, count)
    finally:
        await producer.stop()
        await consumer.stop()


class _Loop:
    def __init__(
        self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, rate: float, tick: Callable[[int], None]
    ) -> None:
        self.producer, self.consumer, self.rate, self.tick = producer, consumer, rate, tick
        self.intended: dict[UUID, float] = {}
        self.seconds: list[float] = []

    async def run(self, on_sale: list[Show], count: int) -> list[float]:
        """Send on time, whatever comes back; raises TimeoutError where an outcome is missing in the end."""
        total = WARM_UP + count
        receiving = asyncio.create_task(self._receive(total))
        began = time.monotonic() + 0.1
        dice = random.Random()
        for number, (show, purchase) in enumerate(purchases(on_sale, total, dice)):
            due = began + number / self.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.intended[purchase.purchase] = due
            await self.producer.send(COMMANDS, encode_command(purchase), key=show.key, partition=show.partition)
        await asyncio.wait_for(receiving, PATIENCE_S)
        return self.seconds[WARM_UP:]

    async def _receive(self, total: int) -> None:
        while len(self.seconds) < total:
            record = await self.consumer.getone()
            now = time.monotonic()
            purchase = decode_outcome(record.value).purchase
            if purchase in self.intended:
                self.seconds.append(now - self.intended.pop(purchase))
                self.tick(len(self.seconds))
