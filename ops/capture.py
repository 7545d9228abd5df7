"""How far the capture of PostgreSQL's changes is: the newest row that has come through each connector.

Every connector has a row of ``heartbeat`` written each ten seconds, and marks what it captures with its own name.
"""

import re
import time
from datetime import datetime
from typing import Any, Final

from kafka import TopicPartition

from connect.records.consumer import make_consumer
from connect.topics import HEARTBEAT_ROWS

HEADER: Final = "connector"
LAST: Final = 200
POLL_MS: Final = 200
# When the row was written. The outbox's connector writes values as text, the others as JSON.
_MOMENT: Final = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)")


class CaptureWatch:
    """Follows the heartbeats. Raises KafkaError when Kafka fails; ``close`` then lets it connect anew."""

    def __init__(self, servers: str) -> None:
        self._servers = servers.split(",")
        self._consumer: Any = None
        self._written: dict[str, float] = {}

    def look(self) -> None:
        """Take in what has come since."""
        consumer = self._connected()
        while batches := consumer.poll(timeout_ms=POLL_MS):
            for record in (record for batch in batches.values() for record in batch):
                self._learn(record)

    def ages(self) -> dict[str, float]:
        """By connector the seconds since the newest row was written that has come through it."""
        return {name: max(0.0, time.time() - at) for name, at in self._written.items()}

    def written(self, connector: str) -> float:
        """When the newest row was written that has come through a connector, in seconds since 1970; 0 if none has."""
        return self._written.get(connector, 0.0)

    def close(self) -> None:
        """Disconnect."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()

    def _learn(self, record: Any) -> None:
        by = dict(record.headers or ()).get(HEADER)
        moment = _MOMENT.search(record.value or b"")
        if by is not None and moment is not None:
            name, at = by.decode(), datetime.fromisoformat(moment[0].decode()).timestamp()
            self._written[name] = max(at, self._written.get(name, 0.0))

    def _connected(self) -> Any:
        if self._consumer is None:
            consumer = make_consumer(self._servers)
            place = TopicPartition(HEARTBEAT_ROWS, 0)
            consumer.assign([place])
            end = consumer.end_offsets([place])[place]
            consumer.seek(place, max(consumer.beginning_offsets([place])[place], end - LAST))
            self._consumer = consumer
        return self._consumer
