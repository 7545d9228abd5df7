"""The rules of taking, giving back and exchanging the seats of a purchase."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from tables.ledger.hall import Hall
from tables.ledger.inventory import Inventory
from tables.ledger.purchase_records import Decided, Decision, PurchaseRecord, SeatedDecision, SeatedPurchase, refused
from tables.ledger.purchase_state import PURCHASE_MAX_CHANGES, state_of
from tables.ledger.seat_moves import SeatChoice, SeatGroup, SeatMove, seats_taken
from tables.ledger.seat_orders import (
    NAMED_MAX_SEATS,
    SeatRefusal,
    choose_at_once,
    choose_others,
    choose_seats,
    refuse_seats,
)
from tables.messages.commands import Cancel, Exchange, TicketLine
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason, Refusal
from tables.messages.sections import ORDER_MAX_SEATS
from tables.messages.statuses import EventStatus, PurchaseStatus

# The seats that a purchase ever had, whose names its record keeps.
PURCHASE_MAX_SEATS: Final = 2 * ORDER_MAX_SEATS
# Reasons that versions without seats can't decode; for them SOLD_OUT is recorded.
SEAT_REASONS: Final = (
    Reason.SEATS_REQUIRED,
    Reason.NOT_SEATED,
    Reason.INVALID_SEATS,
    Reason.UNKNOWN_SEAT,
    Reason.SEAT_TAKEN,
    Reason.NO_ADJACENT_SEATS,
    Reason.UNEQUAL_EXCHANGE,
)
_KINDS: Final = {PurchaseStatus.HELD: OutcomeKind.HELD, PurchaseStatus.CONFIRMED: OutcomeKind.CONFIRMED}


def seats_of_order(
    plan: int | None, hall: Hall | None, lines: Sequence[TicketLine]
) -> tuple[Refusal | None, SeatChoice | None]:
    """Why an order of seats is refused, or the seats that it gets; ``plan`` is that of the event's definition."""
    try:
        if hall is not None:
            if len(lines) > 1 or (choice := choose_at_once(hall, lines[0])) is None:
                choice = choose_seats(hall, lines)
            return None, choice if choice[0] else None
        if plan is not None:  # not all of its pieces are there
            return (Reason.EVENT_NOT_OPEN, {"plan": plan}), None
        for line in lines:
            refuse_seats(line)
    except SeatRefusal as error:
        return error.refusal, None
    return None, None


def taking(decision: Decision, plan: int | None, seats: SeatChoice) -> SeatedDecision:
    """The decision, with the seats that it takes by that plan."""
    groups, chosen = seats
    return SeatedDecision(decision, SeatMove(decision.offset, plan or 0, groups), chosen)


def refusing(offset: int, at: int, kind: OutcomeKind, refusal: Refusal, request: UUID | None = None) -> SeatedDecision:
    """A refusal that is recorded because it depends on the seats that were free."""
    reason, figures = refusal
    word = None
    if reason in SEAT_REASONS:
        reason, word = Reason.SOLD_OUT, reason.value
    decision = Decision(offset, at, kind, reason=reason, figures=figures, request=request)
    return SeatedDecision(decision, SeatMove(offset, 0, word=word))


def giving_back(purchase: PurchaseRecord, decision: Decision, seats: tuple[str, ...] | None = None) -> Decided:
    """The decision, with the seats that it gives back: all that the purchase has, unless some are named."""
    if not isinstance(purchase, SeatedPurchase):
        return decision
    given = tuple(purchase.seats()) if seats is None else seats
    return SeatedDecision(decision, SeatMove(decision.offset, 0, given=given))


def count_seats(
    purchase: PurchaseRecord, command: Cancel, wanted: dict[UUID, int], status: PurchaseStatus
) -> Refusal | None:
    """Count the seats that a partial cancel names among the ``wanted`` tickets; or why it is refused."""
    tickets = purchase.tickets() if isinstance(purchase, SeatedPurchase) else {}
    seated = {ticket.ticket_type for ticket in tickets.values()}
    for key in wanted:
        if key in seated:
            return Reason.SEATS_REQUIRED, {"ticketType": str(key)}
    refusal = _not_had(purchase, command.seats, status)
    for name in command.seats if refusal is None else ():
        key = tickets[name].ticket_type
        wanted[key] = wanted.get(key, 0) + 1
    return refusal


def exchange(
    inventory: Inventory | None, purchase: PurchaseRecord, command: Exchange, offset: int, at: int, hall: Hall | None
) -> Decided:
    """The decision on an exchange, or the earlier one that it repeats."""
    if command.account != purchase.account:
        return refused(offset, at, Reason.NOT_YOURS)
    for decision in purchase.history:
        if decision.request == command.request:
            return decision
    state = state_of(purchase)
    refusal = _not_had(purchase, command.give, state.status) or _too_many(purchase, len(command.take))
    if refusal is not None or not isinstance(purchase, SeatedPurchase):
        return refused(offset, at, *(refusal or (Reason.NOTHING_TO_CANCEL, {"status": state.status.value})))
    try:
        taken = _taken_instead(inventory, purchase, command, hall)
    except SeatRefusal as error:
        return refusing(offset, at, OutcomeKind.REFUSED, error.refusal, command.request)
    decision = Decision(offset, at, _KINDS[state.status], request=command.request)
    move = SeatMove(offset, 0 if hall is None else hall.plan, taken, command.give)
    return SeatedDecision(decision, move)


def _taken_instead(
    inventory: Inventory | None, purchase: SeatedPurchase, command: Exchange, hall: Hall | None
) -> tuple[SeatGroup, ...]:
    if inventory is None or hall is None or inventory.definition.status is not EventStatus.ACTIVE:
        definition = None if inventory is None else inventory.definition
        figures = {} if definition is None else {"status": definition.status.value, "plan": definition.plan}
        raise SeatRefusal(Reason.EVENT_NOT_OPEN, figures)
    if len(set(command.take)) < len(command.take):
        raise SeatRefusal(Reason.INVALID_SEATS, {})
    taken = choose_others(hall, command.take)
    tickets = purchase.tickets()
    given = Counter(tickets[name].ticket_type for name in command.give)
    if given != Counter({group.ticket_type: len(group.seats) for group in taken}):
        raise SeatRefusal(Reason.UNEQUAL_EXCHANGE, {"give": len(command.give), "take": len(command.take)})
    return taken


def _too_many(purchase: PurchaseRecord, more: int) -> Refusal | None:
    if len(purchase.history) > PURCHASE_MAX_CHANGES:
        return Reason.TOO_MANY_CHANGES, {"limit": PURCHASE_MAX_CHANGES}
    had = sum(len(seats_taken(move)) for move in purchase.moves) if isinstance(purchase, SeatedPurchase) else 0
    return (Reason.TOO_MANY_CHANGES, {"limit": PURCHASE_MAX_SEATS}) if had + more > PURCHASE_MAX_SEATS else None


def _not_had(purchase: PurchaseRecord, names: Collection[str], status: PurchaseStatus) -> Refusal | None:
    """The refusal if the purchase doesn't have all of these seats, or if one is named twice."""
    has = purchase.seats() if isinstance(purchase, SeatedPurchase) else {}
    missing = [name for name in names if name not in has]
    if missing or len(set(names)) < len(names):
        return Reason.NOTHING_TO_CANCEL, {"status": status.value, "seats": missing[:NAMED_MAX_SEATS]}
    return None
