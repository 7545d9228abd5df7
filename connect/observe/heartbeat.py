"""How far PostgreSQL's changes have been captured: the newest heartbeat row that has arrived through each connector.

Every connector writes a row of ``heartbeat`` each ten seconds and adds its own name to the captured record. If its rows
don't arrive it is late, whatever state Kafka Connect reports.
"""

import re
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from kafka import TopicPartition
from kafka.errors import KafkaError

from connect.client_options import ClientOptions
from connect.connectors.probe import CONNECTOR_HEADER
from connect.records.consumer import make_consumer
from connect.topics import HEARTBEAT_ROWS

INITIAL_MAX_ROWS: Final = 200
# Six missing rows.
LATE_AFTER_S: Final = 60.0
POLL_MS: Final = 200
CONNECT_TIMEOUT_MS: Final = 2_000
# The time when the row was written. The outbox's connector writes values as text, the others as JSON.
_TIMESTAMP: Final = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)")


class CaptureWatch:
    """Follows the heartbeats of these connectors. Raises KafkaError; the next call connects again."""

    def __init__(self, kafka: ClientOptions, connectors: Iterable[str]) -> None:
        self._kafka = kafka
        self._connectors = tuple(connectors)
        self._consumer: Any = None
        self._written: dict[str, float] = {}
        # All rows that arrived since then are known.
        self._since: float | None = None

    def look(self) -> None:
        """Read the rows that have arrived since the last call."""
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
        """By connector, the age in seconds of the newest row that has arrived through it.

        If none has: the seconds since the oldest known row of any connector, or since the first look.
        """
        now = time.time()
        since = self._since or now
        return {name: max(0.0, now - self._written.get(name, since)) for name in self._connectors}

    def written(self, connector: str) -> float:
        """The time of the newest row that has arrived through a connector, in seconds since 1970; 0 if none has."""
        return self._written.get(connector, 0.0)

    def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()

    def _learn(self, record: Any) -> None:
        by = (dict(record.headers or ()).get(CONNECTOR_HEADER) or b"").decode(errors="replace")
        written = _written_at(record.value or b"")
        if by in self._connectors and written is not None:
            # No row is newer than its arrival: PostgreSQL's clock may be ahead, or somebody wrote the row by hand.
            at = min(written, record.timestamp / 1000)
            self._since = at if self._since is None else self._since
            self._written[by] = at

    def _connected(self) -> Any:
        if self._consumer is None:
            consumer = make_consumer(self._kafka, bootstrap_timeout_ms=CONNECT_TIMEOUT_MS)
            partition = TopicPartition(HEARTBEAT_ROWS, 0)
            consumer.assign([partition])
            end = consumer.end_offsets([partition])[partition]
            consumer.seek(partition, max(consumer.beginning_offsets([partition])[partition], end - INITIAL_MAX_ROWS))
            self._consumer = consumer
        return self._consumer


def _written_at(value: bytes) -> float | None:
    """When a row was written, in seconds since 1970; None for a record that does not say it."""
    moment = _TIMESTAMP.search(value)
    try:
        return None if moment is None else datetime.fromisoformat(moment[0].decode()).timestamp()
    except ValueError:
        return None


def lateness(age: float) -> str:
    """A text that says that a connector is late; empty if it isn't."""
    return f"late: no row has come through it for {age:.0f} s" if age > LATE_AFTER_S else ""
