"""The rules of confirming, lengthening, cancelling and ending a purchase, as pure functions of it and the command."""

from uuid import UUID

from msgspec.structs import replace

from tables.ledger.purchase_records import Decided, Decision, DecisionLine, PurchaseRecord, refused
from tables.ledger.purchase_state import PURCHASE_MAX_CHANGES, paid_worth, state_of
from tables.ledger.seat_changes import count_seats, giving_back
from tables.messages.commands import Cancel, Confirm, Expire, ExtendHold, merge
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason
from tables.messages.statuses import PurchaseStatus


def change(purchase: PurchaseRecord, command: Confirm | Cancel | Expire | ExtendHold, offset: int, at: int) -> Decided:
    """The decision on a command about a purchase, or the earlier decision that it repeats."""
    if isinstance(command, Expire):
        return _expire(purchase, command, offset, at)
    if isinstance(command, ExtendHold):
        return _extend(purchase, command, offset, at)
    if command.account != purchase.account:
        return refused(offset, at, Reason.NOT_YOURS)
    if isinstance(command, Confirm):
        return _confirm(purchase, command, offset, at)
    return _cancel(purchase, command, offset, at)


def _confirm(purchase: PurchaseRecord, command: Confirm, offset: int, at: int) -> Decision:
    for decision in purchase.history:
        if decision.kind is OutcomeKind.CONFIRMED:
            return decision
    state = state_of(purchase)
    if state.status is not PurchaseStatus.HELD:
        return refused(offset, at, Reason.NOT_HELD, {"status": state.status.value})
    if command.payment is None and (due := paid_worth(purchase, state)):
        return refused(offset, at, Reason.PAYMENT_REQUIRED, {"amount": f"{due:f}", "currency": purchase.currency})
    payment = command.payment
    return Decision(offset, at, OutcomeKind.CONFIRMED, held=-1, sold=1, lines=state.lines, payment=payment)


def _extend(purchase: PurchaseRecord, command: ExtendHold, offset: int, at: int) -> Decision:
    for decision in purchase.history[1:]:
        if decision.kind is OutcomeKind.HELD and decision.lines:
            return decision
    state = state_of(purchase)
    if state.deadline is None:
        return refused(offset, at, Reason.NOT_HELD, {"status": state.status.value})
    deadline = state.deadline + command.seconds * 1000
    return Decision(offset, at, OutcomeKind.HELD, lines=state.lines, deadline=deadline)


def _expire(purchase: PurchaseRecord, command: Expire, offset: int, at: int) -> Decided:
    state = state_of(purchase)
    is_over = state.deadline is not None and at >= state.deadline
    if state.deadline is None or not (is_over or command.early):
        return refused(offset, at, Reason.NOT_HELD, {"status": state.status.value})
    exact = None if is_over else Reason.HOLD_ENDED
    decision = Decision(offset, at, OutcomeKind.EXPIRED, held=-1, lines=state.lines, exact=exact)
    return giving_back(purchase, decision)


def _cancel(purchase: PurchaseRecord, command: Cancel, offset: int, at: int) -> Decided:
    for decision in purchase.history:
        if command.request is not None and decision.request == command.request:
            return decision
    state = state_of(purchase)
    is_part = command.lines or command.seats
    if state.status is PurchaseStatus.CANCELLED and not is_part:
        return purchase.history[-1]
    wanted = merge(command.lines)
    refusal = count_seats(purchase, command, wanted, state.status)
    if refusal is not None:
        return refused(offset, at, *refusal)
    lines = _part(state.lines, wanted) if is_part else state.lines
    if not lines:
        return refused(offset, at, Reason.NOTHING_TO_CANCEL, {"status": state.status.value})
    if len(purchase.history) > PURCHASE_MAX_CHANGES and _tickets(lines) < _tickets(state.lines):
        return refused(offset, at, Reason.TOO_MANY_CHANGES, {"limit": PURCHASE_MAX_CHANGES})
    held, sold = (-1, 0) if state.status is PurchaseStatus.HELD else (0, -1)
    decision = Decision(offset, at, OutcomeKind.CANCELLED, held, sold, lines, request=command.request)
    return giving_back(purchase, decision, command.seats if is_part else None)


def _tickets(lines: tuple[DecisionLine, ...]) -> int:
    return sum([line.quantity for line in lines])


def end_purchase(purchase: PurchaseRecord, offset: int, at: int) -> Decided | None:
    """The decision that ends a purchase of a cancelled event; None if the purchase has no tickets."""
    state = state_of(purchase)
    reason = Reason.EVENT_CANCELED
    if state.status is PurchaseStatus.HELD:
        decision = Decision(offset, at, OutcomeKind.EXPIRED, held=-1, lines=state.lines, reason=reason)
    elif state.status is PurchaseStatus.CONFIRMED:
        decision = Decision(offset, at, OutcomeKind.REFUNDED, sold=-1, lines=state.lines, reason=reason)
    else:
        return None
    return giving_back(purchase, decision)


def _part(lines: tuple[DecisionLine, ...], wanted: dict[UUID, int]) -> tuple[DecisionLine, ...]:
    """The last ``wanted`` tickets of each line; empty if the purchase has fewer."""
    has = {line.ticket_type: line for line in lines}
    if any(key not in has or has[key].quantity < quantity for key, quantity in wanted.items()):
        return ()
    return tuple(
        replace(has[key], quantity=quantity, first=has[key].first + has[key].quantity - quantity)
        for key, quantity in wanted.items()
    )
