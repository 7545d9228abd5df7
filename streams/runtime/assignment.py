"""Which partitions this worker has, whether it may work on them now, how far it is, and which worker has the others."""

from collections.abc import Iterator
from typing import cast

from faust.types import TP

from connect.topics import changelog
from streams.runtime.app import App
from streams.runtime.consumer import BatchConsumer
from streams.runtime.indexed_table import IndexedTable


def is_recovered(app: App) -> bool:
    """Whether the tables are recovered and no rebalance is under way."""
    return bool(not app.rebalancing and app.tables.actives_ready)


def is_running(app: App) -> bool:
    """Whether agents run: recovered, and not about to give partitions up."""
    return is_recovered(app) and bool(app.flow_control.is_active())


def active_partitions(app: App, table: str) -> list[int]:
    """The partitions of a table that this worker owns, in order."""
    topic = changelog(table)
    return sorted(tp.partition for tp in app.assignor.assigned_actives() if tp.topic == topic)


def working_partitions(app: App, table: IndexedTable) -> Iterator[int]:
    """The partitions of a table to work on: owned, recovered, not about to be revoked, and open at their turn."""
    owned = active_partitions(app, table.name) if is_running(app) else []
    return (partition for partition in owned if table.is_open(partition))


def standby_partitions(app: App, table: str) -> list[int]:
    """The partitions of a table that this worker keeps copies of, in order."""
    topic = changelog(table)
    return sorted(tp.partition for tp in app.assignor.assigned_standbys() if tp.topic == topic)


def worker_urls(app: App) -> list[str]:
    """The addresses of all workers of the group."""
    return sorted(map(str, app.assignor.tables_metadata()))


def owner_url(app: App, table: str, partition: int) -> str | None:
    """The address of the worker that owns a partition of a table; None while none does."""
    topic = changelog(table)
    for url, tables in app.assignor.tables_metadata().items():
        if partition in tables.get(topic, ()):
            return str(url).rstrip("/")
    return None


def start_offset(app: App, topic: str, partition: int) -> int | None:
    """Where this worker began to read a partition; None where it is not read."""
    return _consumer(app).start_offset(TP(topic, partition))


def committed_offset(app: App, topic: str, partition: int) -> int | None:
    """The last offset that this worker knows to be committed."""
    return _consumer(app).committed(TP(topic, partition))


def end_offset(app: App, topic: str, partition: int) -> int | None:
    """Where the committed records of a partition end; None before its first fetch."""
    end: int | None = _consumer(app).highwater(TP(topic, partition))
    return end


def next_readable_offset(app: App, topic: str, partition: int, offset: int) -> int:
    """The first offset from ``offset`` on at which a record may be, past markers of transactions and the like."""
    return _consumer(app).next_readable(TP(topic, partition), offset)


def _consumer(app: App) -> BatchConsumer:
    return cast("BatchConsumer", app.consumer)
