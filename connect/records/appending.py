"""Appending single records to Kafka from a command, each waited for; key, value and headers may be null.

(kafka-python's producer takes neither null headers nor a record without key and value.)
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError, UnknownTopicOrPartitionError

from tables.messages.dead_letters import Header

WAIT_S: Final = 30.0


class Appender:
    """A producer. Raises aiokafka's KafkaError where Kafka can't be reached, or takes nothing within WAIT_S."""

    def __init__(self, servers: Sequence[str]) -> None:
        self._runner = asyncio.Runner()
        try:
            self._producer: Any = self._run(_started(servers))
        except BaseException:
            self._runner.close()
            raise

    def append(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[Header]
    ) -> None:
        """Append a record; returns once all replicas have it.

        Raises UnknownTopicOrPartitionError, and MessageSizeTooLargeError where the topic takes none so large.
        """
        self._run(self._append(topic, partition, key, value, list(headers)))

    def close(self) -> None:
        """Disconnect."""
        try:
            self._run(self._producer.stop())
        finally:
            self._runner.close()

    async def _append(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: list[Header]
    ) -> None:
        if partition not in await self._producer.partitions_for(topic):
            raise UnknownTopicOrPartitionError(f"there is no {topic}[{partition}]")
        batch = self._producer.create_batch()
        batch.append(timestamp=None, key=key, value=value, headers=headers)
        batch.close()
        await (await self._producer.send_batch(batch, topic, partition=partition))

    def _run(self, work: Any) -> Any:
        try:
            return self._runner.run(asyncio.wait_for(work, WAIT_S))
        except TimeoutError as error:
            raise KafkaTimeoutError(f"Kafka takes nothing within {WAIT_S:g} s") from error


async def _started(servers: Sequence[str]) -> AIOKafkaProducer:
    # What came compressed may be too large for its topic without.
    producer = AIOKafkaProducer(bootstrap_servers=list(servers), acks="all", compression_type="gzip")
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer
