"""``python -m connect``: topics, connectors, and new rows flowing through each. Any number of runs."""

import logging
import sys

import psycopg
from kafka.errors import KafkaError

from connect.connector import connectors
from connect.errors import ConnectError
from connect.patience import Patience
from connect.probe import check_publications, open_ends, wait_until_flowing
from connect.provision import open_admin, provision
from connect.registration import SETTLE_S, check, register, revive, wait_for_connect
from connect.slots import check_slots
from connect.topics import catalogue
from connect.worker import ConnectWorker, Unavailable
from settings import Settings, settings


def main() -> int:
    """Print a line per step. Exit code 1 with a line that says what is wrong."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    now = settings()
    try:
        _topics(now)
        _connectors(now)
    except (ConnectError, Unavailable, KafkaError, psycopg.Error) as error:
        print(f"connect: {error}".rstrip(), file=sys.stderr)
        return 1
    return 0


def _topics(now: Settings) -> None:
    admin = open_admin(now)
    try:
        made = provision(admin, catalogue(), now)
    finally:
        admin.close()
    _say(f"topics: {len(made)} made, {len(catalogue()) - len(made)} there already")


def _connectors(now: Settings) -> None:
    worker = ConnectWorker(now.connect_url)
    wanted = connectors(now)
    wait_for_connect(worker, Patience(now.bootstrap_seconds))
    with open_ends(now) as (database, beats):
        check_publications(database, wanted)
        check_slots(database, worker, wanted)
        for connector in wanted:
            done = register(worker, connector, Patience(now.bootstrap_seconds))
            revived = done == "unchanged" and revive(worker, connector, Patience(SETTLE_S))
            _say(f"connector {connector.name}: {'started again' if revived else done}")
        patience = Patience(now.bootstrap_seconds)
        for name in wait_until_flowing(database, beats, wanted, patience, lambda it: check(worker, it)):
            _say(f"connector {name}: new rows flow")
    worker.close()


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
