"""``turnstile connectors resync``: a new snapshot for each connector whose slot is lost.

The connector loses its offsets, creates a new slot and sends every row again. Nobody writes to its table while the slot
is made: the change of a transaction that went on across that moment would have a lower position in the log than the row
in the snapshot, which lacks it, and would be taken for an old one. A snapshot doesn't contain rows that were
deleted meanwhile: run ``turnstile reindex`` afterwards, which removes them from the search index.
"""

from collections.abc import Callable
from contextlib import closing

from connect.connectors.configuration import Connector, connectors
from connect.connectors.probe import SourceDatabase, open_probe, wait_until_flowing
from connect.connectors.registration import check, register, wait_for_connect
from connect.connectors.rest_client import ConnectClient, ConnectUnavailable
from connect.connectors.slots import lost_slots
from connect.errors import ServerMissing
from connect.polling import Polling
from settings import Settings


def start_over(worker: ConnectClient, database: SourceDatabase, connector: Connector, polling: Polling) -> None:
    """Delete a connector's offsets and register it again with the current settings, which may name another server.

    Raises ServerMissing if Kafka Connect doesn't do it in time, ConnectorRefused, ConnectorFailed, and LockNotAvailable
    (psycopg) where a transaction writes to its table for too long.
    """
    _insist(connector.name, "stop", worker.stop, polling)
    _insist(connector.name, "forget the offsets of", worker.delete_offsets, polling)
    register(worker, connector, polling)
    with database.without_writers(connector.snapshot_tables, polling.seconds):
        _insist(connector.name, "resume", worker.resume, polling)
        while not _has_begun(database, connector.slot):
            check(worker, connector)
            if not polling.left:
                raise ServerMissing(f"connector {connector.name} does not make its slot within {polling.seconds:g} s")
            polling.wait()


def _has_begun(database: SourceDatabase, slot: str) -> bool:
    found = database.slots().get(slot)
    return found is not None and found.begun


def _insist(name: str, what: str, action: Callable[[str], bool | None], polling: Polling) -> None:
    while _not_yet(action, name):
        if not polling.left:
            raise ServerMissing(f"Kafka Connect does not {what} connector {name}")
        polling.wait()


def _not_yet(action: Callable[[str], bool | None], name: str) -> bool:
    """Whether to retry: Kafka Connect refuses while the step before is not finished."""
    try:
        return action(name) is False
    except ConnectUnavailable:
        return True


def resync(now: Settings) -> list[str]:
    """Start over the connectors whose slot is lost, and wait until new rows flow; their names."""
    with closing(ConnectClient(now.connect_url)) as worker:
        wait_for_connect(worker, Polling(now.bootstrap_seconds))
        with open_probe(now) as (database, heartbeats):
            gone = lost_slots(database, worker, connectors(now))
            chosen = [it for it in connectors(now) if it.name in gone]
            for connector in chosen:
                start_over(worker, database, connector, Polling(now.bootstrap_seconds))
            polling = Polling(now.bootstrap_seconds)
            return list(wait_until_flowing(database, heartbeats, chosen, polling, lambda it: check(worker, it)))
