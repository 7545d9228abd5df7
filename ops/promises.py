"""Promises 1, 2, 5 and 9 on live data, read-only: an audit of the changelog; index and ledger against PostgreSQL."""

import asyncio
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg

from connect.client_options import client_options
from connect.connectors.configuration import connectors
from connect.connectors.probe import open_probe
from connect.connectors.rest_client import ConnectClient
from connect.connectors.slots import lost_slots, unread_slots
from connect.observe.definition_delay import DefinitionDelay
from connect.observe.definition_watch import Suspects
from connect.observe.definitions import EventDifference, Said, differing, read_page, read_these
from ops.audit import Audit
from ops.scratch import LedgerCopy
from settings import Settings
from streams.search.verify import Difference, differences

PAUSE_S: Final = 1.0


class SaleComparison(NamedTuple):
    """Promise 9: the differences that last, and those that a change on its way may explain."""

    lasting: list[EventDifference]
    recent: list[EventDifference]


def audit_ledger(copy: LedgerCopy) -> Audit:
    """Promises 1 and 2, partition by partition."""
    audit = Audit()
    for records in copy.scans():
        audit.add(records)
    return audit


def compare_sale(now: Settings, copy: LedgerCopy, selling: Collection[UUID], within: float) -> SaleComparison:
    """Promise 9: every event of PostgreSQL, and those that only the ledger sells.

    What differs is read again until it is equal, or has differed for longer than a change takes, or time is up.
    """
    deadline, suspects = time.monotonic() + within, Suspects()
    with (
        psycopg.connect(now.database_url.get_secret_value(), autocommit=True) as connection,
        closing(DefinitionDelay(client_options(now))) as delay,
    ):
        unknown = set(selling)
        for said in _pages(connection):
            _see(suspects, copy, said, said)
            unknown -= said.keys()
        _see(suspects, copy, unknown, {})
        lasting = suspects.lasting(delay.seconds())
        while len(lasting) < len(suspects.events) and time.monotonic() < deadline:
            time.sleep(PAUSE_S)
            copy.catch_up()
            _see(suspects, copy, suspects.events, read_these(connection, suspects.events))
            lasting = suspects.lasting(delay.seconds())
    return SaleComparison(lasting, [each for each in suspects.differences if each not in lasting])


def _pages(connection: psycopg.Connection[Any]) -> Iterator[Said]:
    said = read_page(connection, None)
    while said:
        yield said
        said = read_page(connection, max(said))


def _see(suspects: Suspects, copy: LedgerCopy, events: Iterable[UUID], said: Said) -> None:
    looked_at = list(events)
    suspects.see(looked_at, differing(looked_at, said, copy.definitions(looked_at)))


def compare_index(now: Settings, within: float) -> dict[str, Difference]:
    """Promise 5: by event how the index differs from PostgreSQL, and still does after a while."""
    return asyncio.run(differences(now, within))


def look_at_slots(now: Settings) -> list[str]:
    """What is wrong with the replication slots."""
    wanted = connectors(now)
    with closing(ConnectClient(now.connect_url)) as worker, open_probe(now) as (database, _):
        gone = lost_slots(database, worker, wanted)
        silent = unread_slots(database, [it for it in wanted if it.name not in gone])
    problems = [f"connector {name}: {text}; `turnstile connectors resync`" for name, text in gone.items()]
    return problems + [f"the replication slot {slot} has no reader; `turnstile connectors list`" for slot in silent]
