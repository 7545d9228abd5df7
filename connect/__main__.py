"""``python -m connect``: create topics, register connectors, and wait until new rows flow. Idempotent."""

import logging
import sys
from contextlib import closing

import psycopg
from kafka.errors import KafkaError

from connect.connectors.configuration import connectors
from connect.connectors.probe import check_publications, open_probe, wait_until_flowing
from connect.connectors.registration import RESTART_TIMEOUT_S, check, register, revive, wait_for_connect
from connect.connectors.rest_client import ConnectClient, ConnectUnavailable
from connect.connectors.slots import check_slots
from connect.errors import ConnectError, ServerMissing
from connect.polling import Polling
from connect.provisioning import open_admin, provision
from connect.topics import all_topics
from settings import Settings, settings
from telemetry.logs import configure_logging
from telemetry.redaction import redact

log = logging.getLogger("connect.bootstrap")


def main() -> int:
    """Log a line per step, and one that says what is wrong: exit code 1, or 2 if it is that a server doesn't answer."""
    now = settings()
    configure_logging(now.log_level, now.log_format, "connectors")
    try:
        _topics(now)
        _connectors(now)
    except (ConnectError, ConnectUnavailable, KafkaError, psycopg.Error) as error:
        log.critical("%s", redact(str(error)).rstrip())
        is_finding = isinstance(error, ConnectError) and not isinstance(error, ServerMissing)
        return 1 if is_finding else 2
    return 0


def _topics(now: Settings) -> None:
    topics = all_topics(now.producer_quotas)
    with closing(open_admin(now)) as admin:
        made = provision(admin, topics, now)
    log.info("topics: %d made, %d there already", len(made), len(topics) - len(made))


def _connectors(now: Settings) -> None:
    worker = ConnectClient(now.connect_url)
    wanted = connectors(now)
    wait_for_connect(worker, Polling(now.bootstrap_seconds))
    with open_probe(now) as (database, heartbeats):
        check_publications(database, wanted)
        check_slots(database, worker, wanted)
        for connector in wanted:
            done = register(worker, connector, Polling(now.bootstrap_seconds))
            revived = done == "unchanged" and revive(worker, connector, Polling(RESTART_TIMEOUT_S))
            log.info("connector %s: %s", connector.name, "started again" if revived else done)
        polling = Polling(now.bootstrap_seconds)
        for name in wait_until_flowing(database, heartbeats, wanted, polling, lambda it: check(worker, it)):
            log.info("connector %s: new rows flow", name)
    worker.close()


if __name__ == "__main__":
    sys.exit(main())
