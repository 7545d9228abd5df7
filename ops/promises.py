"""Promises 1, 2 and 5 on live data, read-only: the changelog is audited, the index compared with PostgreSQL."""

import asyncio
import tempfile
from contextlib import closing
from pathlib import Path

from connect.client_options import client_options
from connect.connectors.configuration import connectors
from connect.connectors.probe import open_probe
from connect.connectors.rest_client import ConnectClient
from connect.connectors.slots import lost_slots, unread_slots
from connect.topics import changelog
from ops.audit import Audit
from ops.scratch import Scratch, read_changelog
from settings import Settings
from streams.search.verify import Difference, differences


def audit_ledger(now: Settings) -> Audit:
    """Promises 1 and 2, partition by partition."""
    audit = Audit()
    with tempfile.TemporaryDirectory(prefix="turnstile-verify-") as folder:
        for partition in range(now.partitions):
            with closing(Scratch(Path(folder) / str(partition))) as scratch:
                asyncio.run(read_changelog(client_options(now), changelog("ledger"), partition, scratch))
                audit.add(scratch.scan())
    return audit


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
