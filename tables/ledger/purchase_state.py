"""What a purchase is now, told by its history."""

from typing import Final, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from tables.ledger.records import Bought, PurchaseRecord
from tables.messages.outcomes import OutcomeKind
from tables.messages.statuses import PurchaseStatus

_STATUS: Final = {kind: PurchaseStatus(kind.value) for kind in OutcomeKind if kind.value in set(PurchaseStatus)}
_BUYING: Final = frozenset({OutcomeKind.HELD, OutcomeKind.CONFIRMED})


class Standing(NamedTuple):
    """A purchase's status, the lines it still has, and until when it is held (ms)."""

    status: PurchaseStatus
    lines: tuple[Bought, ...]
    deadline: int | None


def standing(purchase: PurchaseRecord) -> Standing:
    """The state that the whole history leads to."""
    last = purchase.history[-1]
    if last.kind in _BUYING:
        return Standing(_STATUS[last.kind], last.lines, last.deadline)
    lines = _left(purchase) if last.kind is OutcomeKind.CANCELLED else ()
    if not lines:
        return Standing(_STATUS[last.kind], (), None)
    if last.held:
        return Standing(PurchaseStatus.HELD, lines, purchase.history[0].deadline)
    return Standing(PurchaseStatus.CONFIRMED, lines, None)


def _left(purchase: PurchaseRecord) -> tuple[Bought, ...]:
    """The lines of the first decision without what was cancelled.

    A cancel takes the last tickets of its lines, so the newest one that names a type tells where what is left ends.
    """
    lines = purchase.history[0].lines
    ends: dict[UUID, int] = {}
    for decision in reversed(purchase.history):
        if decision.kind is OutcomeKind.CANCELLED:
            ends = {line.ticket_type: line.first for line in decision.lines} | ends
            if len(ends) == len(lines):
                break
    rest = [
        replace(line, quantity=ends[line.ticket_type] - line.first) if line.ticket_type in ends else line
        for line in lines
    ]
    return tuple([line for line in rest if line.quantity])
