"""The age of the record at an offset of a partition."""

import time
from collections.abc import Mapping
from typing import Any, Final

from kafka import TopicPartition

from connect.client_options import ClientOptions
from connect.records.consumer import make_consumer

POLL_MS: Final = 250
POLL_MAX_COUNT: Final = 8
FETCH_MAX_BYTES: Final = 64 * 1024


class OldestRecords:
    """Reads the first record at or after an offset. Raises KafkaError."""

    def __init__(self, kafka: ClientOptions) -> None:
        self._kafka = kafka
        self._consumer: Any = None

    def ages(self, waiting: Mapping[TopicPartition, int]) -> dict[TopicPartition, float]:
        """Seconds since the first record at or after each offset was written, for those found in time."""
        if not waiting:
            return {}
        consumer = self._connected()
        consumer.assign(list(waiting))
        for place, offset in waiting.items():
            consumer.seek(place, offset)
        found: dict[TopicPartition, int] = {}
        for _ in range(POLL_MAX_COUNT):
            for place, records in consumer.poll(timeout_ms=POLL_MS).items():
                found[place] = records[0].timestamp
            if not (missing := waiting.keys() - found):
                break
            # Not paused: kafka-python would neither read what is paused in the next call nor all of what is resumed.
            consumer.assign(list(missing))
        return {place: max(0.0, time.time() - at / 1000) for place, at in found.items()}

    def close(self) -> None:
        """Disconnect; the next call connects again."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()

    def _connected(self) -> Any:
        if self._consumer is None:
            self._consumer = make_consumer(
                self._kafka,
                auto_offset_reset="earliest",
                max_partition_fetch_bytes=FETCH_MAX_BYTES,
                max_poll_records=FETCH_MAX_BYTES,  # all that was fetched, however small
            )
        return self._consumer
