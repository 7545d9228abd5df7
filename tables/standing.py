"""What a purchase is now, folded from its history."""

from typing import Final, NamedTuple

from msgspec.structs import replace

from tables.outcomes import OutcomeKind
from tables.records import Bought, Decision, PurchaseRecord
from tables.statuses import PurchaseStatus

_STATUS: Final = {kind: PurchaseStatus(kind.value) for kind in OutcomeKind if kind.value in set(PurchaseStatus)}


class Standing(NamedTuple):
    """A purchase's status, the lines it still has, and until when it is held (ms)."""

    status: PurchaseStatus
    lines: tuple[Bought, ...]
    deadline: int | None


def standing(purchase: PurchaseRecord) -> Standing:
    """The state that the whole history leads to."""
    now = Standing(PurchaseStatus.REJECTED, (), None)
    for decision in purchase.history:
        now = _after(now, decision)
    return now


def _after(now: Standing, decision: Decision) -> Standing:
    kind = decision.kind
    if kind is OutcomeKind.CANCELLED:
        left = subtract(now.lines, decision.lines)
        return now._replace(lines=left) if left else Standing(PurchaseStatus.CANCELLED, (), None)
    if kind is OutcomeKind.EXPIRED or kind is OutcomeKind.REFUNDED:
        return Standing(_STATUS[kind], (), None)
    return Standing(_STATUS[kind], decision.lines, decision.deadline)


def subtract(lines: tuple[Bought, ...], taken: tuple[Bought, ...]) -> tuple[Bought, ...]:
    """``lines`` without ``taken``, which are the last tickets of their lines."""
    gone = {line.ticket_type: line.quantity for line in taken}
    rest = (replace(line, quantity=line.quantity - gone.get(line.ticket_type, 0)) for line in lines)
    return tuple(line for line in rest if line.quantity)
