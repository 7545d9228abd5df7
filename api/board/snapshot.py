"""Everything that a board shows at one moment, and its form on the wire."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from api.board.components import Part
from api.board.invariants import Rule
from api.board.rates import Report
from api.board.sale import EventShown


class Snapshot(Struct, frozen=True, rename="camel"):
    """``letters`` are open dead letters by consumer; None while it is not known."""

    at: datetime
    pace: Report
    events: tuple[EventShown, ...]
    parts: tuple[Part, ...]
    rules: tuple[Rule, ...]
    letters: Mapping[str, int] | None = None


_encode = msgspec.json.Encoder().encode


def frame(snapshot: Snapshot) -> bytes:
    """The snapshot as a server-sent event."""
    return b"data: %b\n\n" % _encode(snapshot)
