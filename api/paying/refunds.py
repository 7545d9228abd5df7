"""Ordering a refund is an event on ``payment-events``, which decides whether so much is left, and keeps who and why.

Tickets that go with it are given back by the ledger, under the id of the order.
"""

import time
from collections.abc import Collection
from http import HTTPStatus
from typing import Final
from uuid import UUID

from api.organizing.callers_events import managed_event
from api.paying.payments import waiting_threads
from api.ports.ports import Ports, ports
from api.problem_kinds import REFUSALS
from api.problems import Refused, wrong
from api.purchasing import service
from api.roles import Role
from api.schemas.payment import NewRefund, Refund, RefundList
from api.web.authentication import caller, require
from api.web.prefer import Preference
from tables.messages.commands import Cancel, TicketLine
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.payments.refund_orders import ORDERS_MAX

# The pauses between the reads of one request; afterwards the caller asks again.
POLL_PAUSES_S: Final = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
ORDERED: Final = "ordered"
REFUSED: Final = "refused"

Ids = tuple[UUID, UUID]


def buyer_of(public: str) -> UUID:
    """The account of a purchase of the caller's event. Refused: not-found, forbidden."""
    event, purchase = service.ids_of(public)
    require(Role.ORGANIZER)
    managed_event(event)
    found = ports().sales.find(event, purchase, lambda _: True)
    if found is None or found.account_id is None:
        raise service.no_purchase()
    return found.account_id


def refund(public: str, body: NewRefund, key: str | None) -> Refund | None:
    """Order a refund once by its key, and take back its tickets. The order, or None while it is not decided.

    Refused: as the operation. Unavailable: not known to be in the log.
    """
    if key is None:
        raise service.no_key()
    ids, buyer = service.ids_of(public), buyer_of(public)
    known, order = refunds_of(ports(), ids), service.request_id(ids[1], "refund", key)
    found = _find(known, order)
    if found is None:
        _check(known, body)
        ports().in_loop(ports().payments.tell(_event(ports(), ids, body, order, caller().account)))
    elif _differs(found, body):
        raise Refused("idempotency-key-reused")  # before tickets go back
    undecided = {ORDERED}
    if body.amount is None:
        lines = [TicketLine(line.ticket_type_id, line.quantity) for line in body.lines]
        cancel = Cancel(*ids, buyer, order, lines, body.seats)
        given = ports().in_loop(service.give_back(ports(), cancel, public, Preference(ports().purchase_wait)))
        if given.status == HTTPStatus.OK or (found is not None and found.status == REFUSED):
            undecided.add(REFUSED)  # at an earlier try
    return _decided(ports(), ids, body, order, undecided)


def refunds_of(ports: Ports, ids: Ids) -> RefundList:
    """The refunds of a purchase. Refused: nothing-to-pay."""
    found = ports.payments.refunds(*ids)
    if found is None:
        raise Refused("nothing-to-pay")
    return found


def _decided(ports: Ports, ids: Ids, body: NewRefund, order: UUID, undecided: Collection[str]) -> Refund | None:
    """The order as it was decided; None if that takes longer.

    Refused: refund-too-large, idempotency-key-reused, and why the ledger did not give the tickets back.
    """
    known = _seen_decided(ports, ids, order, undecided)
    found = None if known is None else _find(known, order)
    if known is None or found is None:
        return None
    if _differs(found, body):
        raise Refused("idempotency-key-reused")
    if found.status in undecided:
        return None
    if found.status == REFUSED:
        raise _refusal(found) or _too_large(known)
    return found


def _differs(order: Refund, body: NewRefund) -> bool:
    """Whether an order is another one than that of the request under its key."""
    if body.amount is not None and order.amount.exact != body.amount.exact:
        return True
    return order.reason != body.reason or order.goodwill is (body.amount is None)


def _seen_decided(ports: Ports, ids: Ids, order: UUID, undecided: Collection[str]) -> RefundList | None:
    """The refunds of a purchase once one of them is decided, or as they are after a while."""
    known = ports.payments.refunds(*ids)
    if not waiting_threads.acquire(blocking=False):
        return known
    try:
        for pause_s in POLL_PAUSES_S:
            found = None if known is None else _find(known, order)
            if found is not None and found.status not in undecided:
                break
            time.sleep(pause_s)
            known = ports.payments.refunds(*ids)
    finally:
        waiting_threads.release()
    return known


def _check(known: RefundList, body: NewRefund) -> None:
    if len(known.items) >= ORDERS_MAX:
        raise Refused("too-many-changes", figures={"limit": ORDERS_MAX})
    if body.amount is None:
        if not known.captured.exact:
            raise _too_large(known)
        return
    if body.amount.currency != known.refundable.currency:
        raise wrong("/amount/currency", f"the purchase was paid in {known.refundable.currency}")
    if body.amount.exact > known.refundable.exact:
        raise _too_large(known)


def _refusal(order: Refund) -> Refused | None:
    """Why the ledger did not give the tickets of an order back; None if too much was ordered."""
    problem = next((problem for reason, problem in REFUSALS.items() if reason == order.refusal), None)
    return None if problem is None else Refused(problem)


def _too_large(known: RefundList) -> Refused:
    amounts = ("captured", "refunded", "refundable")
    figures = {name: getattr(known, name).amount for name in amounts} | {"currency": known.refundable.currency}
    return Refused("refund-too-large", figures=figures)


def _find(known: RefundList, order: UUID) -> Refund | None:
    return next((each for each in known.items if each.id == order), None)


def _event(ports: Ports, ids: Ids, body: NewRefund, order: UUID, by: UUID) -> PaymentEvent:
    return PaymentEvent(
        id=str(order),
        kind=PaymentEventKind.REFUND_ORDERED,
        event=ids[0],
        purchase=ids[1],
        at=ports.clock(),
        account=by,
        amount=None if body.amount is None else body.amount.exact,
        currency=None if body.amount is None else body.amount.currency,
        request=order,
        reason=body.reason,
    )
