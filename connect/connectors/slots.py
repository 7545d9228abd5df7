"""``python -m connect.connectors.slots``: checks that every connector still has its replication slot, and reads it.

A missing slot is a gap: what was committed since is in no topic. Debezium stops with an error then.
"""

import sys
from collections.abc import Sequence
from typing import Protocol

import psycopg
from kafka.errors import KafkaError

from connect.connectors.configuration import Connector, connectors
from connect.connectors.probe import SourceDatabase, open_probe
from connect.connectors.rest_client import ConnectClient, ConnectUnavailable
from connect.errors import ConnectError, SlotLost
from settings import settings
from telemetry.escapes import escaped


class OffsetStore(Protocol):
    """Kafka Connect, as far as slots need it."""

    def has_read(self, name: str) -> bool:
        """Whether a connector has read before."""


def lost_slots(database: SourceDatabase, readers: OffsetStore, wanted: Sequence[Connector]) -> dict[str, str]:
    """The connectors that have lost changes, each with what happened to its slot."""
    slots = database.slots()
    found = {}
    for connector in wanted:
        slot = slots.get(connector.slot)
        if slot is None and readers.has_read(connector.name):
            found[connector.name] = f"replication slot {connector.slot} is gone"
        elif slot is not None and slot.lost:
            found[connector.name] = f"replication slot {connector.slot} has lost its log; drop it"
    return found


def check_slots(database: SourceDatabase, readers: OffsetStore, wanted: Sequence[Connector]) -> None:
    """Raise SlotLost if changes are lost."""
    if found := lost_slots(database, readers, wanted):
        what = "; ".join(f"connector {name}: {text}" for name, text in found.items())
        raise SlotLost(
            f"{what}. What was committed since is not in Kafka: run `python -m connect.connectors.resync` "
            "for a new snapshot, then `make reindex`, since a snapshot doesn't contain deletions"
        )


def unread_slots(database: SourceDatabase, wanted: Sequence[Connector]) -> list[str]:
    """The slots that have no reader now."""
    slots = database.slots()
    return [it.slot for it in wanted if it.slot not in slots or not slots[it.slot].active]


def main() -> int:
    """Print what is wrong. Exit code 1 if anything is."""
    now = settings()
    wanted = connectors(now)
    worker = ConnectClient(now.connect_url)
    try:
        with open_probe(now) as (database, _):
            check_slots(database, worker, wanted)
            silent = unread_slots(database, wanted)
    except (ConnectError, ConnectUnavailable, KafkaError, psycopg.Error) as error:
        print(escaped(f"slots: {error}".rstrip()), file=sys.stderr)
        return 1
    finally:
        worker.close()
    print(f"slots: no reader of {', '.join(silent)}; run `python -m connect`" if silent else "slots: all have a reader")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
