"""Each connector carries *new rows*: a row written now, read from its topic; the word RUNNING proves nothing.

Every connector also captures the table ``heartbeat``, without its snapshot, and marks those records with its own
name. So a row written there that arrives under a connector's name went all the way: write-ahead log, publication,
that connector's own slot, Kafka.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import uuid4

import psycopg
from kafka import TopicPartition

from connect.connectors.configuration import Connector
from connect.errors import NotFlowing, NotPublished
from connect.polling import Patience
from connect.records.consumer import make_consumer
from connect.topics import HEARTBEAT_ROWS
from settings import Settings

POLL_MS: Final = 200
HEADER: Final = "connector"


@dataclass(frozen=True, slots=True)
class Slot:
    """A replication slot: whether somebody reads it, and whether PostgreSQL has let go of the log that it needs."""

    active: bool
    lost: bool


class Database(Protocol):
    """The source: PostgreSQL."""

    def published(self, publication: str) -> set[str]:
        """The tables of a publication, as schema.table."""

    def beat(self, key: str) -> None:
        """Write the row of that key anew."""

    def forget(self, key: str) -> None:
        """Delete the row of that key."""

    def slot(self, name: str) -> str:
        """The state of a replication slot, in words."""

    def slots(self) -> dict[str, Slot]:
        """The replication slots, by name."""


class Beats(Protocol):
    """The other end: the records of the heartbeat table."""

    def senders(self, key: str) -> set[str]:
        """The connectors under whose names a row of that key has arrived since the last call."""


def check_publications(database: Database, connectors: Sequence[Connector]) -> None:
    """Raise NotPublished when a connector would capture a table that its publication lacks."""
    for connector in connectors:
        lacking = set(connector.tables) - database.published(connector.publication)
        if lacking:
            what = f"publication {connector.publication} lacks {', '.join(sorted(lacking))}"
            raise NotPublished(f"connector {connector.name}: {what}; run the migrations")


def wait_until_flowing(
    database: Database,
    beats: Beats,
    connectors: Sequence[Connector],
    patience: Patience,
    check: Callable[[Connector], None],
) -> Iterator[str]:
    """Yield each connector's name as soon as a new row came through it. Raises NotFlowing, or what ``check`` raises.

    The row is written again and again: a slot made after the first time never shows that one.
    """
    silent = {connector.name: connector for connector in connectors}
    key = f"bootstrap-{uuid4()}"
    try:
        while silent and patience.left:
            database.beat(key)
            for name in sorted(beats.senders(key) & silent.keys()):
                del silent[name]
                yield name
            for connector in silent.values():
                check(connector)
            if silent:
                patience.wait()
    finally:
        database.forget(key)
    if silent:
        states = "; ".join(f"{name} (slot {it.slot}: {database.slot(it.slot)})" for name, it in silent.items())
        raise NotFlowing(
            f"no new row came within {patience.seconds:g} s through {states}. Kafka Connect's log says why; "
            f"after a change of the password in its file a connector has to be restarted"
        )


class WriteModel:
    """The database of the write model."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def published(self, publication: str) -> set[str]:
        """The tables of a publication."""
        query = "SELECT schemaname || '.' || tablename FROM pg_publication_tables WHERE pubname = %s"
        return {name for (name,) in self._connection.execute(query, (publication,))}

    def beat(self, key: str) -> None:
        """Write the heartbeat row of that key anew."""
        statement = """
            INSERT INTO heartbeat (connector, at) VALUES (%s, clock_timestamp())
            ON CONFLICT (connector) DO UPDATE SET at = EXCLUDED.at
        """
        self._connection.execute(statement, (key,))

    def forget(self, key: str) -> None:
        """Delete that heartbeat row."""
        self._connection.execute("DELETE FROM heartbeat WHERE connector = %s", (key,))

    def slot(self, name: str) -> str:
        """Whether the slot is there and read, and how far its reader is behind."""
        query = """
            SELECT CASE WHEN active THEN 'read' ELSE 'read by nobody' END || ', '
                || pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)) || ' behind'
            FROM pg_replication_slots WHERE slot_name = %s
        """
        row = self._connection.execute(query, (name,)).fetchone()
        return row[0] if row else "missing"

    def slots(self) -> dict[str, Slot]:
        """The replication slots of this database."""
        query = """
            SELECT slot_name, active, coalesce(wal_status, '') = 'lost' FROM pg_replication_slots
            WHERE database = current_database()
        """
        return {name: Slot(active, lost) for name, active, lost in self._connection.execute(query)}


class HeartbeatTopic:
    """The topic of the heartbeat table's rows, from its end on."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        partition = TopicPartition(HEARTBEAT_ROWS, 0)
        consumer.assign([partition])
        consumer.seek_to_end(partition)
        consumer.position(partition)

    def senders(self, key: str) -> set[str]:
        """Read what has come and name those who sent the key."""
        batches = self._consumer.poll(timeout_ms=POLL_MS)
        records = [record for batch in batches.values() for record in batch if record.key == key.encode()]
        return {value.decode() for record in records for name, value in record.headers if name == HEADER}


@contextmanager
def open_ends(settings: Settings) -> Iterator[tuple[Database, Beats]]:
    """Both ends of the way, by the settings."""
    consumer = make_consumer(settings.kafka_servers.split(","))
    try:
        with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as connection:
            yield WriteModel(connection), HeartbeatTopic(consumer)
    finally:
        consumer.close()
