"""``python -m connect.connectors.slots``: every connector that has read has its replication slot, and it is read.

A slot that is gone is a gap: what was committed since it went is in no topic. Debezium then stops with an error.
"""

import sys
from collections.abc import Sequence
from typing import Protocol

import psycopg
from kafka.errors import KafkaError

from connect.connectors.configuration import Connector, connectors
from connect.connectors.probe import Database, open_ends
from connect.connectors.rest_client import ConnectWorker, Unavailable
from connect.errors import ConnectError, SlotLost
from settings import settings
from telemetry.escapes import escaped


class Readers(Protocol):
    """Kafka Connect, as far as slots are concerned."""

    def has_read(self, name: str) -> bool:
        """Whether a connector has been somewhere in the log."""


def lost(database: Database, readers: Readers, wanted: Sequence[Connector]) -> dict[str, str]:
    """By connector, in words, what became of its slot where changes are lost."""
    slots = database.slots()
    found = {}
    for connector in wanted:
        slot = slots.get(connector.slot)
        if slot is None and readers.has_read(connector.name):
            found[connector.name] = f"replication slot {connector.slot} is gone"
        elif slot is not None and slot.lost:
            found[connector.name] = f"replication slot {connector.slot} has lost its log; drop it"
    return found


def check_slots(database: Database, readers: Readers, wanted: Sequence[Connector]) -> None:
    """Raise SlotLost where changes are lost."""
    if found := lost(database, readers, wanted):
        what = "; ".join(f"connector {name}: {text}" for name, text in found.items())
        raise SlotLost(
            f"{what}. What was committed since is not in Kafka: run `python -m connect.connectors.resync` "
            "for a new snapshot, then `make reindex`, since a snapshot doesn't tell what was deleted"
        )


def unread(database: Database, wanted: Sequence[Connector]) -> list[str]:
    """The slots that nobody reads now."""
    slots = database.slots()
    return [it.slot for it in wanted if it.slot not in slots or not slots[it.slot].active]


def main() -> int:
    """Print what is wrong. Exit code 1 if anything is."""
    now = settings()
    wanted = connectors(now)
    worker = ConnectWorker(now.connect_url)
    try:
        with open_ends(now) as (database, _):
            check_slots(database, worker, wanted)
            silent = unread(database, wanted)
    except (ConnectError, Unavailable, KafkaError, psycopg.Error) as error:
        print(escaped(f"slots: {error}".rstrip()), file=sys.stderr)
        return 1
    finally:
        worker.close()
    print(f"slots: nobody reads {', '.join(silent)}; run `python -m connect`" if silent else "slots: all are read")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
