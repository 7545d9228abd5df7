"""The rules of buying, holding and giving back tickets, as pure functions of the state and the command.

``at`` is the command's timestamp in the log (ms): no rule reads a clock.
"""

from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from tables.ledger.fingerprint import asks_for_seats, fingerprint, merge, quantities
from tables.ledger.hall import Hall
from tables.ledger.hold_limits import HoldContext, hold_refusal, hold_seconds
from tables.ledger.inventory import Inventory, TicketStock
from tables.ledger.purchase_state import PURCHASE_MAX_CHANGES, paid_worth, state_of
from tables.ledger.records import Decided, Decision, DecisionLine, PurchaseRecord, SeatedPurchase
from tables.ledger.seat_changes import (
    SEAT_REASONS,
    count_seats,
    exchange,
    giving_back,
    refusing,
    seats_of_order,
    taking,
)
from tables.ledger.seat_moves import SeatChoice
from tables.messages.commands import Buy, BuyerCommand, Cancel, Confirm, Exchange, Expire, ExtendHold, Hold
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason, Refusal
from tables.messages.statuses import EventStatus, PurchaseStatus

# An outcome has the code of every ticket and must fit a produced batch.
ORDER_MAX_TICKETS: Final = 5_000

# The records of an event and of an account keep each ticket type that was removed while tickets of it were out, about
# 30 bytes each. An event with more of them sells nothing.
REMOVED_TYPES_MAX: Final = 1_000

# Reasons that earlier versions can't decode, and the reason that is recorded for them instead.
RECORDED_REASONS: Final = dict.fromkeys(
    (Reason.HOLD_TOO_LONG, Reason.HOLD_LIMIT_EXCEEDED, Reason.HOLD_TOO_SOON), Reason.PURCHASE_LIMIT_EXCEEDED
)

TicketCounts = dict[UUID, int]
# The stock that a purchase takes from, with the quantity of each.
Allocation = list[tuple[TicketStock, int]]


def buyer_fingerprint(command: Buy | Hold) -> str:
    """The fingerprint of a request's body: the same purchase id with another body is refused."""
    if not isinstance(command, Hold):
        return fingerprint(command.account, command.lines, "purchase")
    return fingerprint(command.account, command.lines, "hold" if command.by_default else f"hold {command.seconds}")


def recorded_fingerprints(command: Buy | Hold) -> tuple[str, ...]:
    """The fingerprints that a purchase with the same body may have on record.

    Versions without ``by_default`` recorded the operator's seconds as if the buyer had chosen them.
    """
    if isinstance(command, Hold) and command.by_default:
        return buyer_fingerprint(command), buyer_fingerprint(replace(command, by_default=False))
    return (buyer_fingerprint(command),)


def decide(
    inventory: Inventory | None,
    purchase: PurchaseRecord | None,
    counts: TicketCounts,
    command: BuyerCommand,
    offset: int,
    at: int,
    hold_context: HoldContext | None = None,
    hall: Hall | None = None,
) -> Decided:
    """The decision on ``command``, or the earlier decision that it repeats.

    ``purchase`` is the purchase before ``offset``, ``counts`` the account's tickets of the event by type,
    ``hold_context`` the limits on a hold of that account, None if there are none, ``hall`` the seats by the plan in
    force, None if there is none. A decision of kind REFUSED changes nothing and is not recorded.
    """
    if isinstance(command, (Buy, Hold)):
        return _buy(inventory, purchase, counts, command, offset, at, hold_context, hall)
    if purchase is None:
        return _refused(offset, at, Reason.UNKNOWN_PURCHASE)
    if isinstance(command, Exchange):
        return exchange(inventory, purchase, command, offset, at, hall)
    return _change(purchase, command, offset, at)


def _change(purchase: PurchaseRecord, command: Confirm | Cancel | Expire | ExtendHold, offset: int, at: int) -> Decided:
    if isinstance(command, Expire):
        return _expire(purchase, command, offset, at)
    if isinstance(command, ExtendHold):
        return _extend(purchase, command, offset, at)
    if command.account != purchase.account:
        return _refused(offset, at, Reason.NOT_YOURS)
    if isinstance(command, Confirm):
        return _confirm(purchase, command, offset, at)
    return _cancel(purchase, command, offset, at)


def _buy(
    inventory: Inventory | None,
    purchase: PurchaseRecord | None,
    counts: TicketCounts,
    command: Buy | Hold,
    offset: int,
    at: int,
    hold_context: HoldContext | None,
    hall: Hall | None,
) -> Decided:
    if purchase is not None:
        if purchase.fingerprint in recorded_fingerprints(command):
            return purchase.history[0]
        return _refused(offset, at, Reason.ID_REUSED)
    allocation: Allocation = []
    refusal = _refusal(inventory, counts, command, at, allocation)
    seats: SeatChoice | None = None
    plan: int | None = None
    if refusal is None and inventory is not None:
        plan = inventory.definition.plan
        if plan is not None or asks_for_seats(command.lines):
            refusal, seats = seats_of_order(plan, hall, command.lines)
    due = inventory is not None and inventory.is_paid_online and any(stock.definition.price for stock, _ in allocation)
    is_hold = due or isinstance(command, Hold)
    if is_hold and hold_context is not None and refusal is None:
        refusal = hold_refusal(command, hold_context, merge(command.lines), at)
    if refusal is not None:
        reason, figures = refusal
        recorded = RECORDED_REASONS.get(reason, reason)
        if reason in SEAT_REASONS:
            return refusing(offset, at, OutcomeKind.REJECTED, refusal)
        exact = None if recorded is reason else reason
        return Decision(offset, at, OutcomeKind.REJECTED, reason=recorded, figures=figures, exact=exact)
    lines = _lines(allocation)
    if is_hold:
        deadline = at + hold_seconds(command, hold_context) * 1000
        decision = Decision(offset, at, OutcomeKind.HELD, held=1, lines=lines, deadline=deadline, due=due)
    else:
        decision = Decision(offset, at, OutcomeKind.CONFIRMED, sold=1, lines=lines)
    return decision if seats is None else taking(decision, plan, seats)


def _refusal(
    inventory: Inventory | None, counts: TicketCounts, command: Buy | Hold, at: int, allocation: Allocation
) -> Refusal | None:
    """Why a purchase is refused; None if it is accepted, and then ``allocation`` has been filled."""
    if inventory is None:
        return Reason.UNKNOWN_EVENT, {}
    if inventory.definition.status is not EventStatus.ACTIVE:
        return Reason.EVENT_NOT_OPEN, {"status": inventory.definition.status.value}
    if len(inventory.removed) > REMOVED_TYPES_MAX:
        return Reason.EVENT_NOT_OPEN, {"removedTicketTypes": len(inventory.removed), "limit": REMOVED_TYPES_MAX}
    for ticket_type, quantity in quantities(command.lines):
        stock = inventory.stock.get(ticket_type.int)
        if stock is None:
            return Reason.UNKNOWN_TICKET_TYPE, {"ticketType": str(ticket_type)}
        refusal = _type_refusal(stock, counts, quantity, at)
        if refusal is not None:
            return refusal
        allocation.append((stock, quantity))
    return _order_refusal(inventory, counts, allocation) or _stock_refusal(inventory, allocation)


def _type_refusal(stock: TicketStock, counts: TicketCounts, quantity: int, at: int) -> Refusal | None:
    definition = stock.definition
    if stock.sale_starts is not None and at < stock.sale_starts:
        return Reason.NOT_ON_SALE, _window(stock)
    if stock.sale_ends is not None and at >= stock.sale_ends:
        return Reason.NOT_ON_SALE, _window(stock)
    order_limit, account_limit = definition.max_per_order, definition.max_per_account
    if order_limit is not None and quantity > order_limit:
        return Reason.ORDER_LIMIT_EXCEEDED, _limit(order_limit, quantity, ticket_type=definition.id)
    if account_limit is not None:
        has = counts.get(definition.id, 0)
        if has + quantity > account_limit:
            return Reason.PURCHASE_LIMIT_EXCEEDED, _limit(account_limit, quantity, has, definition.id)
    return None


def _order_refusal(inventory: Inventory, counts: TicketCounts, allocation: Allocation) -> Refusal | None:
    definition = inventory.definition
    total = _total(allocation)
    limit = ORDER_MAX_TICKETS if definition.max_per_order is None else min(definition.max_per_order, ORDER_MAX_TICKETS)
    if total > limit:
        return Reason.ORDER_LIMIT_EXCEEDED, _limit(limit, total)
    if definition.max_per_account is not None:
        has = sum(counts.values())
        if has + total > definition.max_per_account:
            return Reason.PURCHASE_LIMIT_EXCEEDED, _limit(definition.max_per_account, total, has)
    if len(allocation) > 1 and len({stock.definition.currency for stock, _ in allocation}) > 1:
        return Reason.MIXED_CURRENCIES, {}
    return None


def _stock_refusal(inventory: Inventory, allocation: Allocation) -> Refusal | None:
    for stock, quantity in allocation:
        if stock.held + stock.sold + quantity > stock.quantity:
            figures = _limit(stock.quantity, quantity, ticket_type=stock.definition.id)
            return Reason.SOLD_OUT, figures | {"available": stock.available, "held": stock.held}
    capacity = inventory.definition.capacity
    if capacity is not None and inventory.out + _total(allocation) > capacity:
        left = max(0, capacity - inventory.out)
        return Reason.CAPACITY_EXCEEDED, _limit(capacity, _total(allocation)) | {"available": left}
    return None


def _total(allocation: Allocation) -> int:
    return sum([quantity for _, quantity in allocation])


def _limit(limit: int, requested: int, has: int | None = None, ticket_type: UUID | None = None) -> dict[str, Any]:
    figures: dict[str, Any] = {"limit": limit, "requested": requested}
    if has is not None:
        figures["alreadyHas"] = has
    if ticket_type is not None:
        figures["ticketType"] = str(ticket_type)
    return figures


def _window(stock: TicketStock) -> dict[str, Any]:
    definition = stock.definition
    window = {"saleStartsAt": definition.sale_starts_at, "saleEndsAt": definition.sale_ends_at}
    return {"ticketType": str(definition.id)} | {name: time.isoformat() for name, time in window.items() if time}


def _lines(allocation: Allocation) -> tuple[DecisionLine, ...]:
    lines = []
    first = 0
    for stock, quantity in allocation:
        definition = stock.definition
        lines.append(DecisionLine(definition.id, quantity, definition.price, definition.name, first))
        first += quantity
    return tuple(lines)


def _confirm(purchase: PurchaseRecord, command: Confirm, offset: int, at: int) -> Decision:
    for decision in purchase.history:
        if decision.kind is OutcomeKind.CONFIRMED:
            return decision
    state = state_of(purchase)
    if state.status is not PurchaseStatus.HELD:
        return _refused(offset, at, Reason.NOT_HELD, {"status": state.status.value})
    if command.payment is None and (due := paid_worth(purchase, state)):
        return _refused(offset, at, Reason.PAYMENT_REQUIRED, {"amount": f"{due:f}", "currency": purchase.currency})
    payment = command.payment
    return Decision(offset, at, OutcomeKind.CONFIRMED, held=-1, sold=1, lines=state.lines, payment=payment)


def _extend(purchase: PurchaseRecord, command: ExtendHold, offset: int, at: int) -> Decision:
    for decision in purchase.history[1:]:
        if decision.kind is OutcomeKind.HELD and decision.lines:
            return decision
    state = state_of(purchase)
    if state.status is not PurchaseStatus.HELD or state.deadline is None:
        return _refused(offset, at, Reason.NOT_HELD, {"status": state.status.value})
    deadline = state.deadline + command.seconds * 1000
    return Decision(offset, at, OutcomeKind.HELD, lines=state.lines, deadline=deadline)


def _expire(purchase: PurchaseRecord, command: Expire, offset: int, at: int) -> Decided:
    state = state_of(purchase)
    is_over = state.deadline is not None and at >= state.deadline
    if state.status is not PurchaseStatus.HELD or not (is_over or command.early):
        return _refused(offset, at, Reason.NOT_HELD, {"status": state.status.value})
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
    if isinstance(purchase, SeatedPurchase) or command.seats:
        refusal = count_seats(purchase, command, wanted, state.status)
        if refusal is not None:
            return _refused(offset, at, *refusal)
    lines = _part(state.lines, wanted) if is_part else state.lines
    if not lines:
        return _refused(offset, at, Reason.NOTHING_TO_CANCEL, {"status": state.status.value})
    if len(purchase.history) > PURCHASE_MAX_CHANGES and _tickets(lines) < _tickets(state.lines):
        return _refused(offset, at, Reason.TOO_MANY_CHANGES, {"limit": PURCHASE_MAX_CHANGES})
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


def _refused(offset: int, at: int, reason: Reason, figures: dict[str, Any] | None = None) -> Decision:
    return Decision(offset, at, OutcomeKind.REFUSED, reason=reason, figures=figures or {})
