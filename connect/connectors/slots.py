"""Checks that every connector still has its replication slot, and reads it.

A missing slot is a gap: what was committed since is in no topic. Debezium stops with an error then.
"""

from collections.abc import Sequence
from typing import Protocol

from connect.connectors.configuration import Connector
from connect.connectors.probe import SourceDatabase
from connect.connectors.rest_client import ConnectorState
from connect.errors import SlotLost


class OffsetStore(Protocol):
    """Kafka Connect, as far as slots need it."""

    def has_read(self, name: str) -> bool:
        """Whether a connector has read before."""

    def state(self, name: str) -> ConnectorState:
        """A connector's state."""


def lost_slots(database: SourceDatabase, readers: OffsetStore, wanted: Sequence[Connector]) -> dict[str, str]:
    """The connectors that have lost changes, each with what happened to its slot."""
    slots = database.slots()
    found = {}
    for connector in wanted:
        slot = slots.get(connector.slot)
        if slot is not None and slot.lost:
            found[connector.name] = f"replication slot {connector.slot} has lost its log; drop it"
        elif slot is None and readers.has_read(connector.name):
            found[connector.name] = f"replication slot {connector.slot} is gone"
        elif (slot is None or not slot.active) and _has_stopped_midway(readers, connector.name):
            rest = "" if slot is None else f"; drop replication slot {connector.slot}"
            found[connector.name] = f"a resync did not finish{rest}"
    return found


def _has_stopped_midway(readers: OffsetStore, name: str) -> bool:
    """Whether a resync deleted the connector's offsets, and then gave up or was killed."""
    return readers.state(name).stopped and not readers.has_read(name)


def check_slots(database: SourceDatabase, readers: OffsetStore, wanted: Sequence[Connector]) -> None:
    """Raise SlotLost if changes are lost."""
    if found := lost_slots(database, readers, wanted):
        what = "; ".join(f"connector {name}: {text}" for name, text in found.items())
        raise SlotLost(
            f"{what}. What was committed since is not in Kafka: run `turnstile connectors resync` "
            "for a new snapshot, then `turnstile reindex`, since a snapshot doesn't contain deletions"
        )


def unread_slots(database: SourceDatabase, wanted: Sequence[Connector]) -> list[str]:
    """The slots that have no reader now."""
    slots = database.slots()
    return [it.slot for it in wanted if it.slot not in slots or not slots[it.slot].active]
