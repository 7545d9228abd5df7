"""The sources of the exporter's metrics: Kafka, capture, PostgreSQL, Connect; two more have modules of their own."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

import psycopg
from kafka import TopicPartition
from prometheus_client import Metric as Family

from connect.client_options import client_options
from connect.connectors.configuration import connectors
from connect.connectors.rest_client import ConnectClient
from connect.observe.ages import OldestRecords
from connect.observe.dead_letters import DeadLetterTopics
from connect.observe.definition_delay import OUTBOX_CONNECTOR
from connect.observe.heartbeat import CaptureWatch
from connect.observe.lag import KafkaWatch, LogState
from connect.observe.slots import read_slots
from connect.topics import APP, EVENT_ROWS, dead_letters, group
from ops.definitions import DefinitionSource
from ops.search_health import SearchSource
from settings import Settings
from telemetry.metrics import exporter as metric

CONNECT_TIMEOUT_S: Final = 5
STATEMENT_TIMEOUT: Final = "-c statement_timeout=5000 -c application_name=turnstile-exporter"
STATES: Final = ("RUNNING", "FAILED", "PAUSED", "STOPPED", "RESTARTING", "UNASSIGNED")
INDEXER: Final = group("indexer")

_DATABASE: Final = """
SELECT pg_database_size(current_database()),
       (SELECT count(*) FROM event_outbox),
       (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0) FROM event_outbox
        WHERE created_at > to_timestamp(%s)),
       (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(began)), 0) FROM (
            SELECT xact_start AS began FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()
        ) AS open)
"""
_CONNECTIONS: Final = """
SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1
"""
# The states that wait for the ledger or the provider; the index payment_unfinished has them.
PAYMENT_STATES: Final = ("confirming", "capturing", "revoking", "refunding", "voiding")
_PAYMENTS: Final = """
SELECT state, count(*), greatest(extract(epoch FROM clock_timestamp() - min(since)), 0) FROM payment
WHERE state IN ('confirming', 'capturing', 'revoking', 'refunding', 'voiding') GROUP BY state
"""


class Source(Protocol):
    """A source that is asked repeatedly. ``look`` raises if there is no answer; the next call reconnects."""

    name: str

    def look(self) -> Iterator[Family]: ...
    def close(self) -> None: ...


class KafkaSource:
    """Lag, members and how many there are meant to be, ends of topics, dead letters."""

    name = "kafka"

    def __init__(self, settings: Settings) -> None:
        self._watch = KafkaWatch(client_options(settings), settings.producer_quotas)
        self._oldest = OldestRecords(client_options(settings))
        self._letters = DeadLetterTopics(client_options(settings))
        self._open: dict[str, int] = {}
        self._read_to: dict[str, int] = {}
        self._workers = settings.ledger_workers
        self._copies = 1 + min(settings.standbys, settings.ledger_workers - 1)

    def look(self) -> Iterator[Family]:
        """Ask the broker; dead letters are read only if there are new ones or new marks."""
        state = self._watch.look()
        lags = {
            (group(role), place): lag for role, it in state.groups.items() for place, lag in it.partition_lags.items()
        }
        ages = dict.fromkeys(lags, 0.0)
        for role in state.groups:
            ages |= {(group(role), place): age for place, age in self._oldest.ages(state.unread(role)).items()}
        yield metric.LAG_RECORDS.of({_labels(*key): lag for key, lag in lags.items()})
        yield metric.LAG_SECONDS.of({_labels(*key): age for key, age in ages.items()})
        index = [age for (reader, place), age in ages.items() if (reader, place.topic) == (INDEXER, EVENT_ROWS)]
        yield metric.INDEX_LAG.one(max(index, default=0.0))
        yield metric.GROUP_MEMBERS.of({(group(role),): it.members for role, it in state.groups.items()})
        yield metric.WORKERS_WANTED.one(self._workers)
        yield metric.COPIES_WANTED.one(self._copies)
        yield metric.TOPIC_END.of(
            {(place.topic, str(place.partition)): end for place, end in state.partition_ends.items()}
        )
        yield metric.STABLE_LAG.of(
            {
                (place.topic, str(place.partition)): state.partition_ends[place] - end
                for place, end in state.stable_ends.items()
            }
        )
        yield metric.TOPIC_KEPT.of({(topic,): seconds for topic, seconds in self._watch.retention_seconds().items()})
        yield metric.DEAD_LETTERS.of(self._dead_letters(state))

    def close(self) -> None:
        self._watch.close()
        self._oldest.close()

    def _dead_letters(self, state: LogState) -> dict[tuple[str, ...], float]:
        topic = dead_letters("")
        ends = {name: end for name, end in state.ends.items() if name.startswith(topic)}
        if ends != self._read_to:
            self._open, self._read_to = self._letters.open(), ends
        return {(consumer,): count for consumer, count in self._open.items()}


class CaptureSource:
    """How far each connector has read."""

    name = "capture"

    def __init__(self, watch: CaptureWatch) -> None:
        self._watch = watch

    def look(self) -> Iterator[Family]:
        """Read the new heartbeats."""
        self._watch.look()
        yield metric.CAPTURE_AGE.of({(name,): age for name, age in self._watch.ages().items()})

    def close(self) -> None:
        self._watch.close()


class PostgresSource:
    """Slots, outbox, the database itself."""

    name = "postgres"

    def __init__(self, settings: Settings, capture: CaptureWatch) -> None:
        self._url = settings.database_url.get_secret_value()
        self._wanted = [connector.slot for connector in connectors(settings)]
        self._capture = capture
        self._connection: psycopg.Connection[Any] | None = None

    def look(self) -> Iterator[Family]:
        """Ask PostgreSQL."""
        connection = self._connected()
        slots = {slot.name: slot for slot in read_slots(connection)}
        lost = {name: name not in slots or slots[name].lost for name in self._wanted}
        yield metric.SLOT_LOST.of({(name,): gone for name, gone in lost.items()})
        yield metric.SLOT_ACTIVE.of({(name,): slot.active for name, slot in slots.items()})
        yield metric.SLOT_RETAINED.of({(name,): slot.kept for name, slot in slots.items()})
        yield metric.SLOT_BEHIND.of({(name,): slot.behind for name, slot in slots.items()})
        row = connection.execute(_DATABASE, (self._capture.written(OUTBOX_CONNECTOR),)).fetchone()
        assert row is not None
        figures = (
            metric.DATABASE_BYTES,
            metric.OUTBOX_ROWS,
            metric.OUTBOX_AGE,
            metric.OLDEST_TRANSACTION,
        )
        for each, value in zip(figures, row, strict=True):
            yield each.one(float(value))
        yield metric.DATABASE_CONNECTIONS.of({(state,): count for state, count in connection.execute(_CONNECTIONS)})
        yield from payment_gauges({state: (count, age) for state, count, age in connection.execute(_PAYMENTS)})

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = _open(self._url)
        return self._connection


def payment_gauges(found: Mapping[str, tuple[int, float]]) -> Iterator[Family]:
    """Every state has a value, so that an alert ends."""
    unfinished = {state: found.get(state, (0, 0.0)) for state in PAYMENT_STATES}
    yield metric.UNFINISHED.of({(state,): count for state, (count, _) in unfinished.items()})
    yield metric.UNFINISHED_AGE.of({(state,): float(age) for state, (_, age) in unfinished.items()})


class ConnectSource:
    """Connectors and their tasks."""

    name = "connect"

    def __init__(self, settings: Settings) -> None:
        self._worker = ConnectClient(settings.connect_url, timeout=CONNECT_TIMEOUT_S)

    def look(self) -> Iterator[Family]:
        """Ask Kafka Connect."""
        ours: dict[tuple[str, ...], float] = {}
        tasks: dict[tuple[str, ...], float] = {}
        for name, state in self._worker.states().items():
            if not name.startswith(APP):
                continue
            for number, word in enumerate(state.states):
                if number == 0:
                    ours |= metric.CONNECTOR_STATE.state(name, now=word, states=STATES)
                else:
                    tasks |= metric.TASK_STATE.state(name, str(number - 1), now=word, states=STATES)
        yield metric.CONNECTOR_STATE.of(ours)
        yield metric.TASK_STATE.of(tasks)

    def close(self) -> None:
        """Nothing: the client keeps no connection."""


def sources(settings: Settings) -> list[Source]:
    """All sources."""
    url = settings.database_url.get_secret_value()
    capture = CaptureWatch(client_options(settings), [connector.name for connector in connectors(settings)])
    return [
        KafkaSource(settings),
        CaptureSource(capture),
        PostgresSource(settings, capture),
        ConnectSource(settings),
        SearchSource(settings),
        DefinitionSource(settings, lambda: _open(url)),
    ]


def _open(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True, options=STATEMENT_TIMEOUT)


def _labels(reader: str, place: TopicPartition) -> tuple[str, ...]:
    return reader, place.topic, str(place.partition)
