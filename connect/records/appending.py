"""Appends single records to Kafka, synchronously; key, value and headers may be null.

(kafka-python's producer accepts neither null headers nor a record without key and value.)
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError, UnknownTopicOrPartitionError

from connect.client_options import ClientOptions
from connect.records.connection import disconnect
from tables.messages.dead_letters import Header

APPEND_TIMEOUT_S: Final = 30.0


class Appender:
    """A synchronous producer. Raises aiokafka's KafkaError if Kafka doesn't answer within APPEND_TIMEOUT_S."""

    def __init__(self, kafka: ClientOptions) -> None:
        self._runner = asyncio.Runner()
        try:
            self._producer: Any = self._run(_started(kafka))
        except BaseException:
            self._runner.close()
            raise

    def append(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[Header]
    ) -> None:
        """Append a record; returns once all in-sync replicas have it.

        Raises UnknownTopicOrPartitionError, and MessageSizeTooLargeError if it exceeds the topic's limit.
        """
        self._run(self._append(topic, partition, key, value, list(headers)))

    def close(self) -> None:
        try:
            self._run(disconnect(self._producer))
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
            return self._runner.run(_in_time(work))
        except TimeoutError as error:
            raise KafkaTimeoutError(f"Kafka does not answer within {APPEND_TIMEOUT_S:g} s") from error


async def _in_time(work: Awaitable[Any]) -> Any:
    async with asyncio.timeout(APPEND_TIMEOUT_S):
        return await work


async def _started(kafka: ClientOptions) -> AIOKafkaProducer:
    # A record that was compressed may exceed the topic's limit without compression.
    producer = AIOKafkaProducer(**kafka, acks="all", compression_type="gzip")
    try:
        await producer.start()
    except BaseException:
        await disconnect(producer)
        raise
    return producer
