"""The current state of a purchase, derived from its history."""

from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from tables.ledger.purchase_records import DecisionLine, PurchaseRecord
from tables.messages.outcomes import OutcomeKind
from tables.messages.statuses import PurchaseStatus

# A purchase's record has every change of it and must fit a produced batch. The largest order (50 types) with so many
# changes takes 112 kB with names of 100 emoji, and 272 kB with names of 500, the longest. That includes what remains
# possible: a hold can be confirmed, and the rest can be cancelled as a whole, expire or be refunded.
PURCHASE_MAX_CHANGES: Final = 50

_STATUS: Final = {kind: PurchaseStatus(kind.value) for kind in OutcomeKind if kind.value in set(PurchaseStatus)}
_BUYING: Final = frozenset({OutcomeKind.HELD, OutcomeKind.CONFIRMED})
# An exchange has no lines: it changes only seats, or nothing.
_EXCHANGES: Final = _BUYING | {OutcomeKind.REFUSED}


class PurchaseState(Struct, frozen=True, gc=False):
    """A purchase's status, the lines it still has, and the deadline of its hold (ms)."""

    status: PurchaseStatus
    lines: tuple[DecisionLine, ...]
    deadline: int | None


def state_of(purchase: PurchaseRecord) -> PurchaseState:
    """The state after the purchase's whole history."""
    last = purchase.history[-1]
    if not last.lines and last.kind in _EXCHANGES and (past := purchase.before(last.offset)):
        return state_of(past)
    if last.kind in _BUYING:
        return PurchaseState(_STATUS[last.kind], last.lines, last.deadline)
    lines = _left(purchase) if last.kind is OutcomeKind.CANCELLED else ()
    if not lines:
        return PurchaseState(_STATUS[last.kind], (), None)
    if last.held:
        return PurchaseState(PurchaseStatus.HELD, lines, max(deadlines_of(purchase)))
    return PurchaseState(PurchaseStatus.CONFIRMED, lines, None)


def deadlines_of(purchase: PurchaseRecord) -> list[int]:
    """The deadlines (ms) that a hold has had, the last one at the end; empty for any other purchase."""
    return [decision.deadline for decision in purchase.history if decision.deadline is not None]


def paid_worth(purchase: PurchaseRecord, state: PurchaseState) -> Decimal | None:
    """What a purchase that is paid online is worth in that state of it; None for any other purchase."""
    if not purchase.history[0].due:
        return None
    return sum((line.price * line.quantity for line in state.lines), Decimal(0))


def returned_tickets(purchase: PurchaseRecord) -> int:
    """How many sold tickets were given back, of a purchase that still has others; 0 for every other purchase."""
    if state_of(purchase).status is not PurchaseStatus.CONFIRMED:
        return 0
    returns = [each for each in purchase.history if each.kind is OutcomeKind.CANCELLED and each.sold]
    return sum(line.quantity for decision in returns for line in decision.lines)


def _left(purchase: PurchaseRecord) -> tuple[DecisionLine, ...]:
    """The lines of the first decision without the cancelled tickets.

    A cancel takes the last tickets of its lines, so the newest cancel of a type has where the rest of it ends.
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
