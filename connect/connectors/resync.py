"""``turnstile connectors resync``: a new snapshot for each connector whose slot is lost.

The connector loses its offsets, creates a new slot and sends every row again. A transaction that goes on while the slot
is made comes by the log afterwards, and its rows have the later revisions. A snapshot doesn't contain rows that were
deleted meanwhile: run ``turnstile reindex`` afterwards, which removes them from the search index.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Final

from connect.connectors.configuration import Connector, connectors
from connect.connectors.probe import SourceDatabase, open_probe, wait_until_flowing
from connect.connectors.registration import check, register, wait_for_connect
from connect.connectors.rest_client import ConnectClient, not_yet
from connect.connectors.slots import lost_slots
from connect.errors import ServerMissing, SlotLost
from connect.polling import Polling
from settings import Settings

FORGET_TIMEOUT_S: Final = 30.0


def start_over(worker: ConnectClient, database: SourceDatabase, connector: Connector, polling: Polling) -> None:
    """Delete a connector's offsets and register it again with the current settings, which may name another server.

    Returns once its slot is made. Where that fails, the connector is stopped again, for the next attempt. Raises
    ServerMissing if Kafka Connect doesn't do it in time, SlotLost if the old slot has to be dropped, ConnectorRefused,
    ConnectorFailed.
    """
    _forget(worker, connector.name, polling)
    _check_slot_is_gone(database, connector.slot, polling)
    register(worker, connector, polling)
    try:
        _insist(connector.name, "resume", worker.resume, polling)
        _wait_for_slot(worker, database, connector, polling)
    except BaseException:
        _forget(worker, connector.name, replace(polling, seconds=FORGET_TIMEOUT_S))
        raise


def _forget(worker: ConnectClient, name: str, polling: Polling) -> None:
    """Stop a connector and delete its offsets, so that ``lost_slots`` names it."""
    _insist(name, "stop", worker.stop, polling)
    _insist(name, "forget the offsets of", worker.delete_offsets, polling)


def _check_slot_is_gone(database: SourceDatabase, slot: str, polling: Polling) -> None:
    """One that an earlier attempt left keeps its reader until the transactions that it waits for have ended."""
    found = database.slots().get(slot)
    while found is not None and found.active and polling.left:
        polling.wait()
        found = database.slots().get(slot)
    if found is not None:
        drop = f"SELECT pg_drop_replication_slot('{slot}')"
        raise SlotLost(f"replication slot {slot} is still there: run `{drop}` as a superuser, then this command again")


def _wait_for_slot(worker: ConnectClient, database: SourceDatabase, connector: Connector, polling: Polling) -> None:
    while not _has_begun(database, connector.slot):
        check(worker, connector)
        if not polling.left:
            raise ServerMissing(f"connector {connector.name} does not make its slot within {polling.seconds:g} s")
        polling.wait()


def _has_begun(database: SourceDatabase, slot: str) -> bool:
    found = database.slots().get(slot)
    return found is not None and found.begun


def _insist(name: str, what: str, action: Callable[[str], bool | None], polling: Polling) -> None:
    while not_yet(lambda: action(name)):
        if not polling.left:
            raise ServerMissing(f"Kafka Connect does not {what} connector {name}")
        polling.wait()


def resync(now: Settings) -> list[str]:
    """Start over the connectors whose slot is lost, and wait until new rows flow; their names."""
    with closing(ConnectClient(now.connect_url)) as worker:
        wait_for_connect(worker, Polling(now.bootstrap_seconds))
        with open_probe(now) as (database, heartbeats):
            known = connectors(now)
            gone = lost_slots(database, worker, known)
            chosen = [it for it in known if it.name in gone]
            for connector in chosen:
                start_over(worker, database, connector, Polling(now.bootstrap_seconds))
            polling = Polling(now.bootstrap_seconds)
            return list(wait_until_flowing(database, heartbeats, chosen, polling, lambda it: check(worker, it)))
