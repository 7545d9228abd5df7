"""Reading a topic beside the agents: its committed records, from given offsets to given ends."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from connect.client_options import ClientOptions
from connect.records.connection import started
from connect.records.fetching import READ_COMMITTED, FetchedRecord, SkippedOffsets, install
from streams.runtime.changelog import check_still_read

POLL_TIMEOUT_MS: Final = 200

# By partition.
Offsets = dict[int, int]


class TopicReader:
    """All partitions of one topic."""

    def __init__(self, consumer: Any, topic: str, poll_max_records: int) -> None:
        self._consumer = consumer
        self._topic = topic
        self._poll_max_records = poll_max_records

    async def end_offsets(self) -> Offsets:
        """Where the committed records of each partition end now."""
        ends = await self._consumer.end_offsets(list(self._consumer.assignment()))
        return {place.partition: end for place, end in ends.items()}

    async def begin_offsets(self) -> Offsets:
        """Where the log of each partition begins now."""
        begins = await self._consumer.beginning_offsets(list(self._consumer.assignment()))
        return {place.partition: begin for place, begin in begins.items()}

    async def read(self, begins: Offsets, ends: Offsets) -> AsyncIterator[list[bytes | None]]:
        """The values of the records that ``records`` gives."""
        async for records in self.records(begins, ends):
            yield [record.value for record in records]

    async def records(self, begins: Offsets, ends: Offsets) -> AsyncGenerator[list[FetchedRecord], None]:
        """The records between ``begins`` and ``ends``, those of a poll at a time.

        ``begins`` moves on once they are taken. What can't be read is left out. Raises KafkaError.
        """
        moved_s = time.monotonic()
        for partition, offset in begins.items():
            self._consumer.seek(TopicPartition(self._topic, partition), offset)
        while any(begins[partition] < end for partition, end in ends.items()):
            found = await self._consumer.getmany(timeout_ms=POLL_TIMEOUT_MS, max_records=self._poll_max_records)
            yield [one for records in found.values() for one in records if not isinstance(one, SkippedOffsets)]
            for partition in begins:
                position = await self._consumer.position(TopicPartition(self._topic, partition))
                if position > begins[partition]:
                    begins[partition], moved_s = position, time.monotonic()
            check_still_read(self._topic, moved_s)


@asynccontextmanager
async def reading_topic(
    kafka: ClientOptions, topic: str, poll_max_records: int, partitions: Collection[int] | None = None
) -> AsyncIterator[TopicReader]:
    """A reader of a topic, or of some ``partitions``, without a consumer group. Raises aiokafka's KafkaError."""
    install()
    consumer: Any = AIOKafkaConsumer(
        **kafka,
        enable_auto_commit=False,
        group_id=None,
        isolation_level=READ_COMMITTED,
        # A log whose first records were deleted is read from its beginning.
        auto_offset_reset="earliest",
    )
    async with started(consumer):
        # A consumer without subscription knows no topics before it has asked for them.
        await consumer._client.force_metadata_update()
        numbers = consumer.partitions_for_topic(topic) if partitions is None else partitions
        consumer.assign([TopicPartition(topic, number) for number in numbers])
        yield TopicReader(consumer, topic, poll_max_records)
