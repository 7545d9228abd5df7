"""Tests that each connector captures *new rows*: writes a row and waits for it in Kafka. State RUNNING proves nothing.

Every connector also captures the table ``heartbeat``, without a snapshot, and adds its own name to those records. So a
row that arrives with a connector's name has passed the write-ahead log, the publication, that connector's slot and
Kafka.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import uuid4

import psycopg
from kafka import TopicPartition

from connect.client_options import client_options
from connect.connectors.configuration import Connector
from connect.errors import NotFlowing, NotPublished
from connect.polling import Polling
from connect.records.consumer import make_consumer
from connect.topics import HEARTBEAT_ROWS
from settings import Settings

POLL_MS: Final = 200
CONNECTOR_HEADER: Final = "connector"


@dataclass(frozen=True, slots=True)
class Slot:
    """A replication slot: whether it has a reader, whether PostgreSQL has removed WAL that it needs.

    ``begun``: whether it is made; that takes until all transactions that were open have ended.
    """

    active: bool
    lost: bool
    begun: bool = True


class SourceDatabase(Protocol):
    """PostgreSQL, as far as the probe is concerned (PostgresDatabase)."""

    def published_tables(self, publication: str) -> set[str]: ...
    def write_heartbeat(self, key: str) -> None: ...
    def delete_heartbeat(self, key: str) -> None: ...
    def slot_state(self, name: str) -> str: ...
    def slots(self) -> dict[str, Slot]: ...


class HeartbeatReader(Protocol):
    """The records of the heartbeat table in Kafka."""

    def connectors_seen(self, key: str) -> set[str]:
        """The connectors through which a row with that key has arrived since the last call."""


def check_publications(database: SourceDatabase, connectors: Sequence[Connector]) -> None:
    """Raise NotPublished if a connector captures a table that its publication lacks."""
    for connector in connectors:
        lacking = set(connector.tables) - database.published_tables(connector.publication)
        if lacking:
            what = f"publication {connector.publication} lacks {', '.join(sorted(lacking))}"
            raise NotPublished(f"connector {connector.name}: {what}; run the migrations, or see docs/capture.md")


def wait_until_flowing(
    database: SourceDatabase,
    heartbeats: HeartbeatReader,
    connectors: Sequence[Connector],
    polling: Polling,
    check: Callable[[Connector], None],
) -> Iterator[str]:
    """Yield each connector's name once a new row has arrived through it. Raises NotFlowing, or what ``check`` raises.

    It writes the row repeatedly: a slot doesn't have rows that were written before it was created.
    """
    silent = {connector.name: connector for connector in connectors}
    key = f"bootstrap-{uuid4()}"
    try:
        while silent and polling.left:
            database.write_heartbeat(key)
            for name in sorted(heartbeats.connectors_seen(key) & silent.keys()):
                del silent[name]
                yield name
            for connector in silent.values():
                check(connector)
            if silent:
                polling.wait()
    finally:
        database.delete_heartbeat(key)
    if silent:
        states = "; ".join(f"{name} (slot {it.slot}: {database.slot_state(it.slot)})" for name, it in silent.items())
        raise NotFlowing(
            f"no new row came within {polling.seconds:g} s through {states}. Kafka Connect's log says why; "
            f"after a change of the password file a connector must be restarted"
        )


class PostgresDatabase:
    """PostgreSQL, by a connection in autocommit mode."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def published_tables(self, publication: str) -> set[str]:
        """The tables of a publication, as schema.table."""
        query = "SELECT schemaname || '.' || tablename FROM pg_publication_tables WHERE pubname = %s"
        return {name for (name,) in self._connection.execute(query, (publication,))}

    def write_heartbeat(self, key: str) -> None:
        """Write the heartbeat row with that key, again if it exists."""
        statement = """
            INSERT INTO heartbeat (connector, at) VALUES (%s, clock_timestamp())
            ON CONFLICT (connector) DO UPDATE SET at = EXCLUDED.at
        """
        self._connection.execute(statement, (key,))

    def delete_heartbeat(self, key: str) -> None:
        self._connection.execute("DELETE FROM heartbeat WHERE connector = %s", (key,))

    def slot_state(self, name: str) -> str:
        """Whether the slot exists and has a reader, and how far that is behind."""
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
            SELECT slot_name, active, coalesce(wal_status, '') = 'lost', confirmed_flush_lsn IS NOT NULL
            FROM pg_replication_slots WHERE database = current_database()
        """
        return {name: Slot(*found) for name, *found in self._connection.execute(query)}


class HeartbeatTopic:
    """The topic of the heartbeat table's rows, read from its current end on."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        partition = TopicPartition(HEARTBEAT_ROWS, 0)
        consumer.assign([partition])
        consumer.seek_to_end(partition)
        consumer.position(partition)

    def connectors_seen(self, key: str) -> set[str]:
        """Read the new records; the connectors among them that sent the key."""
        batches = self._consumer.poll(timeout_ms=POLL_MS)
        records = [record for batch in batches.values() for record in batch if record.key == key.encode()]
        return {value.decode() for record in records for name, value in record.headers if name == CONNECTOR_HEADER}


@contextmanager
def open_probe(settings: Settings) -> Iterator[tuple[SourceDatabase, HeartbeatReader]]:
    """PostgreSQL and the heartbeat topic, by the settings."""
    with (
        closing(make_consumer(client_options(settings))) as consumer,
        psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as connection,
    ):
        yield PostgresDatabase(connection), HeartbeatTopic(consumer)
