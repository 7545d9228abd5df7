"""How far the capture of PostgreSQL's changes is: the newest row that has come through each connector.

Every connector has a row of ``heartbeat`` written each ten seconds, and marks what it captures with its own name. One
whose rows don't arrive is late, whatever Kafka Connect says of its state.
"""

import re
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from kafka import TopicPartition
from kafka.errors import KafkaError

from connect.records.consumer import make_consumer
from connect.topics import HEARTBEAT_ROWS

HEADER: Final = "connector"
LAST: Final = 200
# Six rows in a row that did not come through.
LATE_S: Final = 60.0
POLL_MS: Final = 200
CONNECT_WITHIN_MS: Final = 2_000
# When the row was written. The outbox's connector writes values as text, the others as JSON.
_MOMENT: Final = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)")


class CaptureWatch:
    """Follows the heartbeats of these connectors. Raises KafkaError when Kafka fails, then connects anew."""

    def __init__(self, servers: str, connectors: Iterable[str]) -> None:
        self._servers = servers.split(",")
        self._connectors = tuple(connectors)
        self._consumer: Any = None
        self._written: dict[str, float] = {}
        # Since when every row that came is known.
        self._since: float | None = None

    def look(self) -> None:
        """Take in what has come since."""
        try:
            consumer = self._connected()
            while batches := consumer.poll(timeout_ms=POLL_MS):
                for record in (record for batch in batches.values() for record in batch):
                    self._learn(record)
        except KafkaError:
            self.close()
            raise
        self._since = self._since or time.time()

    def ages(self) -> dict[str, float]:
        """By connector the seconds since the newest row was written that has come through it.

        Where none has come: since the oldest that is known of any other, or since the first look.
        """
        now = time.time()
        since = self._since or now
        return {name: max(0.0, now - self._written.get(name, since)) for name in self._connectors}

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
            name, at = by.decode(errors="replace"), datetime.fromisoformat(moment[0].decode()).timestamp()
            self._since = at if self._since is None else self._since
            self._written[name] = max(at, self._written.get(name, 0.0))

    def _connected(self) -> Any:
        if self._consumer is None:
            consumer = make_consumer(self._servers, bootstrap_timeout_ms=CONNECT_WITHIN_MS)
            place = TopicPartition(HEARTBEAT_ROWS, 0)
            consumer.assign([place])
            end = consumer.end_offsets([place])[place]
            consumer.seek(place, max(consumer.beginning_offsets([place])[place], end - LAST))
            self._consumer = consumer
        return self._consumer


def lateness(age: float) -> str:
    """In words that a connector is late, if it is."""
    return f"late: no row has come through it for {age:.0f} s" if age > LATE_S else ""
