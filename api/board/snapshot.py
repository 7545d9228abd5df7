"""Everything that a board shows at one moment, and its form on the wire. Field names are those of the JSON."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import Struct

from api.board.board_text import BoardText, Said


class ComponentHealth(StrEnum):
    """How a component is doing. BEHIND: it works, but more is waiting than should."""

    WELL = "well"
    BEHIND = "behind"
    DOWN = "down"
    UNKNOWN = "unknown"


class Component(Struct, frozen=True):
    """A component of the pipeline, with its ``rate`` per second; None if nothing is counted."""

    id: str
    name: BoardText
    health: ComponentHealth
    rate: float | None
    lag: BoardText
    note: BoardText


class InvariantVerdict(StrEnum):
    """Whether an invariant holds. UNKNOWN while a component does not answer or catches up."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"


class Invariant(Struct, frozen=True):
    """What must always be true, and whether it is."""

    id: str
    promise: BoardText
    verdict: InvariantVerdict
    detail: BoardText


class RatesReport(Struct, frozen=True, rename="camel"):
    """Decisions in each of the last full seconds, the oldest first, with their times in ms; 0 ms for none.

    ``kinds`` and ``took_…`` are those of all seconds together.
    """

    counts: tuple[int, ...]
    median: tuple[int, ...]
    slowest: tuple[int, ...]
    kinds: dict[str, int]
    took_median: int
    took_slowest: int

    @property
    def total(self) -> int:
        """Decisions in all of these seconds."""
        return sum(self.counts)


class TypeShown(Struct, frozen=True):
    """A ticket type. ``held + sold`` exceeds ``quantity`` only where that was lowered.

    ``available`` is what its quantity and the event's capacity leave.
    """

    id: UUID
    name: str
    quantity: int
    held: int
    sold: int
    available: int


class EventShown(Struct, frozen=True):
    """An event that sells. ``note`` says what is special, as ``few left``; it may be empty.

    ``sales`` counts purchases and holds since this process saw the first of them.
    """

    id: UUID
    title: str
    note: BoardText
    sales: int
    types: tuple[TypeShown, ...]


class BoardSnapshot(Struct, frozen=True, rename="camel"):
    """``letters`` are open dead letters by consumer; None while that is not known."""

    at: datetime
    pace: RatesReport
    events: tuple[EventShown, ...]
    parts: tuple[Component, ...]
    rules: tuple[Invariant, ...]
    letters: Mapping[str, int] | None = None


def frame(snapshot: BoardSnapshot, said: Said) -> bytes:
    """The snapshot as a server-sent event, with its texts as ``said``."""
    return b"data: %b\n\n" % msgspec.json.encode(snapshot, enc_hook=said)
