"""The rules of buying and holding tickets, as pure functions of the state and the command.

``at`` is the command's timestamp in the log (ms): no rule reads a clock.
"""

from typing import Any, Final
from uuid import UUID

from tables.ledger.hall import Hall
from tables.ledger.hold_limits import HoldContext, hold_refusal, hold_seconds
from tables.ledger.inventory import Inventory, TicketStock
from tables.ledger.purchase_changes import change
from tables.ledger.purchase_records import Decided, Decision, DecisionLine, PurchaseRecord, refused
from tables.ledger.seat_changes import (
    SEAT_REASONS,
    exchange,
    refusing,
    seats_of_order,
    taking,
)
from tables.ledger.seat_moves import SeatChoice
from tables.messages.commands import (
    Buy,
    BuyerCommand,
    Exchange,
    Hold,
    asks_for_seats,
    merge,
    quantities,
    recorded_fingerprints,
)
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason, Refusal
from tables.messages.statuses import EventStatus

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
        return refused(offset, at, Reason.UNKNOWN_PURCHASE)
    if isinstance(command, Exchange):
        return exchange(inventory, purchase, command, offset, at, hall)
    return change(purchase, command, offset, at)


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
        return refused(offset, at, Reason.ID_REUSED)
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
        if reason in SEAT_REASONS:
            return refusing(offset, at, OutcomeKind.REJECTED, refusal)
        recorded = RECORDED_REASONS.get(reason, reason)
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
