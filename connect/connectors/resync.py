"""``python -m connect.connectors.resync``: a new snapshot for each connector whose slot is lost; others go on.

The connector forgets how far it was, makes its slot anew and tells every row again. What was deleted meanwhile it
can't tell; ``make reindex`` after it takes that out of the search.
"""

import sys
from collections.abc import Callable

import psycopg
from kafka.errors import KafkaError

from connect.connectors.configuration import Connector, connectors
from connect.connectors.probe import open_ends, wait_until_flowing
from connect.connectors.registration import check, register, wait_for_connect
from connect.connectors.rest_client import ConnectWorker, Unavailable
from connect.connectors.slots import lost
from connect.errors import ConnectError, ServerMissing
from connect.polling import Patience
from settings import Settings, settings
from telemetry.escapes import escaped


def start_over(worker: ConnectWorker, connector: Connector, patience: Patience) -> None:
    """Let a connector forget how far it was, and begin anew as the settings say: its server may be another one now.

    Raises ServerMissing when Kafka Connect doesn't do it in time, and ConnectorRefused.
    """
    _insist(connector.name, "stop", worker.stop, patience)
    _insist(connector.name, "forget the offsets of", worker.forget, patience)
    register(worker, connector, patience)
    _insist(connector.name, "resume", worker.resume, patience)


def _insist(name: str, what: str, action: Callable[[str], bool | None], patience: Patience) -> None:
    while _not_yet(action, name):
        if not patience.left:
            raise ServerMissing(f"Kafka Connect does not {what} connector {name}")
        patience.wait()


def _not_yet(action: Callable[[str], bool | None], name: str) -> bool:
    """Whether it has to be tried again: Kafka Connect refuses while it is still at the step before."""
    try:
        return action(name) is False
    except Unavailable:
        return True


def resync(now: Settings) -> list[str]:
    """Start over where a slot is lost, and wait until new rows flow; the connectors that it was done for."""
    worker = ConnectWorker(now.connect_url)
    try:
        wait_for_connect(worker, Patience(now.bootstrap_seconds))
        with open_ends(now) as (database, beats):
            gone = lost(database, worker, connectors(now))
            chosen = [it for it in connectors(now) if it.name in gone]
            for connector in chosen:
                start_over(worker, connector, Patience(now.bootstrap_seconds))
            patience = Patience(now.bootstrap_seconds)
            return list(wait_until_flowing(database, beats, chosen, patience, lambda it: check(worker, it)))
    finally:
        worker.close()


def main() -> int:
    """Print what was done. Exit code 1 with a line that says what is wrong."""
    try:
        done = resync(settings())
    except (ConnectError, Unavailable, KafkaError, psycopg.Error) as error:
        print(escaped(f"resync: {error}".rstrip()), file=sys.stderr)
        return 1
    for name in done:
        print(f"resync: connector {name} takes a new snapshot, new rows flow; run `make reindex`")
    print("resync: done" if done else "resync: no slot is lost, nothing to do")
    return 0


if __name__ == "__main__":
    sys.exit(main())
