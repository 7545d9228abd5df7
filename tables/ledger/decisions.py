"""The rules of selling and giving back, as pure functions of the state and the command.

``at`` is the command's own timestamp in the log (ms): no rule reads a clock.
"""

from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from tables.ledger.fingerprint import fingerprint, merge
from tables.ledger.hold_limits import Holder, hold_refusal, seconds_of
from tables.ledger.inventory import Inventory, Shelf
from tables.ledger.purchase_state import standing
from tables.ledger.records import Bought, Decision, PurchaseRecord
from tables.messages.commands import Buy, BuyerCommand, Cancel, Confirm, Expire, Hold
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason, Refusal
from tables.messages.statuses import EventStatus, PurchaseStatus

# An outcome names the code of every ticket, and must fit a produced batch.
MOST_PER_ORDER: Final = 5_000

# A purchase's record tells every change of it, and must fit a produced batch. The largest order (50 types), changed so
# often, makes one of 112 kB with names of 100 emoji and of 272 kB with names of 500, the longest. That counts what is
# still possible then: a hold can be confirmed, and what is left can be cancelled as a whole, expire or be refunded.
CHANGES_MAX: Final = 50

# The records of an event and of an account keep each ticket type that a definition left out while its tickets were out,
# some 30 bytes each. An event that had more of them sells nothing.
REMOVED_TYPES_MAX: Final = 1_000

# A reason that earlier versions can't read, and the one under which they find it on record.
NEAREST: Final = dict.fromkeys(
    (Reason.HOLD_TOO_LONG, Reason.HOLD_LIMIT_EXCEEDED, Reason.HOLD_TOO_SOON), Reason.PURCHASE_LIMIT_EXCEEDED
)

Counts = dict[UUID, int]
# The shelves that a purchase takes from, with how many of each.
Picks = list[tuple[Shelf, int]]


def buyer_fingerprint(command: Buy | Hold) -> str:
    """What tells two bodies under one purchase id apart."""
    if not isinstance(command, Hold):
        return fingerprint(command.account, command.lines, "purchase")
    return fingerprint(command.account, command.lines, "hold" if command.by_default else f"hold {command.seconds}")


def recorded_fingerprints(command: Buy | Hold) -> tuple[str, ...]:
    """What a purchase of the same body may have on record.

    A version that did not know ``by_default`` took the operator's seconds for the buyer's.
    """
    if isinstance(command, Hold) and command.by_default:
        return buyer_fingerprint(command), buyer_fingerprint(replace(command, by_default=False))
    return (buyer_fingerprint(command),)


def decide(
    inventory: Inventory | None,
    purchase: PurchaseRecord | None,
    counts: Counts,
    command: BuyerCommand,
    offset: int,
    at: int,
    holder: Holder | None = None,
) -> Decision:
    """The decision on ``command``; one that the purchase's history holds already is given again.

    ``purchase`` is the purchase as it was before ``offset``, ``counts`` what its account has of the event, ``holder``
    what a hold of that account is limited by; None where there are no limits.
    A decision of kind REFUSED changes nothing and is not recorded.
    """
    if isinstance(command, (Buy, Hold)):
        return _buy(inventory, purchase, counts, command, offset, at, holder)
    if purchase is None:
        return _refused(offset, at, Reason.UNKNOWN_PURCHASE)
    if isinstance(command, Expire):
        return _expire(purchase, command, offset, at)
    if command.account != purchase.account:
        return _refused(offset, at, Reason.NOT_YOURS)
    if isinstance(command, Confirm):
        return _confirm(purchase, offset, at)
    return _cancel(purchase, command, offset, at)


def _buy(
    inventory: Inventory | None,
    purchase: PurchaseRecord | None,
    counts: Counts,
    command: Buy | Hold,
    offset: int,
    at: int,
    holder: Holder | None,
) -> Decision:
    if purchase is not None:
        if purchase.fingerprint in recorded_fingerprints(command):
            return purchase.history[0]
        return _refused(offset, at, Reason.ID_REUSED)
    picks: Picks = []
    wanted = merge(command.lines)
    refusal = _refusal(inventory, counts, wanted, at, picks)
    if holder is not None and refusal is None and isinstance(command, Hold):
        refusal = hold_refusal(command, holder, wanted, at)
    if refusal is not None:
        reason, figures = refusal
        nearest = NEAREST.get(reason, reason)
        exact = None if nearest is reason else reason
        return Decision(offset, at, OutcomeKind.REJECTED, reason=nearest, figures=figures, exact=exact)
    lines = _lines(picks)
    if isinstance(command, Hold):
        deadline = at + seconds_of(command, holder) * 1000
        return Decision(offset, at, OutcomeKind.HELD, held=1, lines=lines, deadline=deadline)
    return Decision(offset, at, OutcomeKind.CONFIRMED, sold=1, lines=lines)


def _refusal(
    inventory: Inventory | None, counts: Counts, wanted: dict[UUID, int], at: int, picks: Picks
) -> Refusal | None:
    """Why a purchase is refused; None if it is not, and then ``picks`` is what it takes."""
    if inventory is None:
        return Reason.UNKNOWN_EVENT, {}
    if inventory.definition.status is not EventStatus.ACTIVE:
        return Reason.EVENT_NOT_OPEN, {"status": inventory.definition.status.value}
    if len(inventory.gone) > REMOVED_TYPES_MAX:
        return Reason.EVENT_NOT_OPEN, {"removedTicketTypes": len(inventory.gone), "limit": REMOVED_TYPES_MAX}
    for ticket_type, quantity in wanted.items():
        shelf = inventory.shelves.get(ticket_type)
        if shelf is None:
            return Reason.UNKNOWN_TICKET_TYPE, {"ticketType": str(ticket_type)}
        refusal = _shelf_refusal(shelf, counts, quantity, at)
        if refusal is not None:
            return refusal
        picks.append((shelf, quantity))
    return _order_refusal(inventory, counts, picks) or _stock_refusal(inventory, picks)


def _shelf_refusal(shelf: Shelf, counts: Counts, quantity: int, at: int) -> Refusal | None:
    kind = shelf.definition
    if shelf.sale_starts is not None and at < shelf.sale_starts:
        return Reason.NOT_ON_SALE, _window(shelf)
    if shelf.sale_ends is not None and at >= shelf.sale_ends:
        return Reason.NOT_ON_SALE, _window(shelf)
    if kind.max_per_order is not None and quantity > kind.max_per_order:
        return Reason.ORDER_LIMIT_EXCEEDED, _limit(kind.max_per_order, quantity, ticket_type=kind.id)
    if kind.max_per_account is not None:
        has = counts.get(kind.id, 0)
        if has + quantity > kind.max_per_account:
            return Reason.PURCHASE_LIMIT_EXCEEDED, _limit(kind.max_per_account, quantity, has, kind.id)
    return None


def _order_refusal(inventory: Inventory, counts: Counts, picks: Picks) -> Refusal | None:
    definition = inventory.definition
    total = _total(picks)
    most = MOST_PER_ORDER if definition.max_per_order is None else min(definition.max_per_order, MOST_PER_ORDER)
    if total > most:
        return Reason.ORDER_LIMIT_EXCEEDED, _limit(most, total)
    if definition.max_per_account is not None:
        has = sum(counts.values())
        if has + total > definition.max_per_account:
            return Reason.PURCHASE_LIMIT_EXCEEDED, _limit(definition.max_per_account, total, has)
    if len(picks) > 1 and len({shelf.definition.currency for shelf, _ in picks}) > 1:
        return Reason.MIXED_CURRENCIES, {}
    return None


def _stock_refusal(inventory: Inventory, picks: Picks) -> Refusal | None:
    for shelf, quantity in picks:
        if quantity > shelf.available:
            figures = _limit(shelf.quantity, quantity, ticket_type=shelf.definition.id)
            return Reason.SOLD_OUT, figures | {"available": shelf.available, "held": shelf.held}
    capacity = inventory.definition.capacity
    if capacity is not None and inventory.out + _total(picks) > capacity:
        left = max(0, capacity - inventory.out)
        return Reason.CAPACITY_EXCEEDED, _limit(capacity, _total(picks)) | {"available": left}
    return None


def _total(picks: Picks) -> int:
    return sum([quantity for _, quantity in picks])


def _limit(limit: int, requested: int, has: int | None = None, ticket_type: UUID | None = None) -> dict[str, Any]:
    figures: dict[str, Any] = {"limit": limit, "requested": requested}
    if has is not None:
        figures["alreadyHas"] = has
    if ticket_type is not None:
        figures["ticketType"] = str(ticket_type)
    return figures


def _window(shelf: Shelf) -> dict[str, Any]:
    kind = shelf.definition
    window = {"saleStartsAt": kind.sale_starts_at, "saleEndsAt": kind.sale_ends_at}
    return {"ticketType": str(kind.id)} | {name: time.isoformat() for name, time in window.items() if time}


def _lines(picks: Picks) -> tuple[Bought, ...]:
    lines = []
    first = 0
    for shelf, quantity in picks:
        kind = shelf.definition
        lines.append(Bought(kind.id, quantity, kind.price, kind.name, first))
        first += quantity
    return tuple(lines)


def _confirm(purchase: PurchaseRecord, offset: int, at: int) -> Decision:
    for decision in purchase.history:
        if decision.kind is OutcomeKind.CONFIRMED:
            return decision
    now = standing(purchase)
    if now.status is not PurchaseStatus.HELD:
        return _refused(offset, at, Reason.NOT_HELD, {"status": now.status.value})
    return Decision(offset, at, OutcomeKind.CONFIRMED, held=-1, sold=1, lines=now.lines)


def _expire(purchase: PurchaseRecord, command: Expire, offset: int, at: int) -> Decision:
    now = standing(purchase)
    is_over = now.deadline is not None and at >= now.deadline
    if now.status is not PurchaseStatus.HELD or not (is_over or command.early):
        return _refused(offset, at, Reason.NOT_HELD, {"status": now.status.value})
    exact = None if is_over else Reason.HOLD_ENDED
    return Decision(offset, at, OutcomeKind.EXPIRED, held=-1, lines=now.lines, exact=exact)


def _cancel(purchase: PurchaseRecord, command: Cancel, offset: int, at: int) -> Decision:
    for decision in purchase.history:
        if command.request is not None and decision.request == command.request:
            return decision
    now = standing(purchase)
    if now.status is PurchaseStatus.CANCELLED and not command.lines:
        return purchase.history[-1]
    lines = _part(now.lines, merge(command.lines)) if command.lines else now.lines
    if not lines:
        return _refused(offset, at, Reason.NOTHING_TO_CANCEL, {"status": now.status.value})
    if len(purchase.history) > CHANGES_MAX and _tickets(lines) < _tickets(now.lines):
        return _refused(offset, at, Reason.TOO_MANY_CHANGES, {"limit": CHANGES_MAX})
    held, sold = (-1, 0) if now.status is PurchaseStatus.HELD else (0, -1)
    return Decision(offset, at, OutcomeKind.CANCELLED, held, sold, lines, request=command.request)


def _tickets(lines: tuple[Bought, ...]) -> int:
    return sum([line.quantity for line in lines])


def end(purchase: PurchaseRecord, offset: int, at: int) -> Decision | None:
    """What a cancelled event means to a purchase as it was before ``offset``; None if it has nothing out."""
    now = standing(purchase)
    if now.status is PurchaseStatus.HELD:
        return Decision(offset, at, OutcomeKind.EXPIRED, held=-1, lines=now.lines, reason=Reason.EVENT_CANCELED)
    if now.status is PurchaseStatus.CONFIRMED:
        return Decision(offset, at, OutcomeKind.REFUNDED, sold=-1, lines=now.lines, reason=Reason.EVENT_CANCELED)
    return None


def _part(lines: tuple[Bought, ...], wanted: dict[UUID, int]) -> tuple[Bought, ...]:
    """The last ``wanted`` tickets of each line; nothing if the purchase has not that many."""
    has = {line.ticket_type: line for line in lines}
    if any(kind not in has or has[kind].quantity < quantity for kind, quantity in wanted.items()):
        return ()
    return tuple(
        replace(has[kind], quantity=quantity, first=has[kind].first + has[kind].quantity - quantity)
        for kind, quantity in wanted.items()
    )


def _refused(offset: int, at: int, reason: Reason, figures: dict[str, Any] | None = None) -> Decision:
    return Decision(offset, at, OutcomeKind.REFUSED, reason=reason, figures=figures or {})
