"""Payments of purchases, and the door for the providers' webhooks."""

import asyncio
from functools import partial

import msgspec
from flask import Response, request

from api.auth.tokens import Caller
from api.paying.payments import payment_of, start
from api.paying.refunds import buyer_of, refund, refunds_of
from api.ports.ports import Ports, ports
from api.purchasing import service
from api.purchasing.callers_purchases import own_purchase, purchase_of
from api.routes.purchases import KEY, OF_RETURNS
from api.schemas.payment import (
    NewRefund,
    PaymentOverview,
    ProviderPath,
    PurchasePayment,
    Refund,
    RefundList,
    TakenWebhook,
)
from api.schemas.purchase import PurchasePath
from api.web.authentication import caller
from api.web.deferred import deferred
from api.web.raw_response import JSON, RawResponse
from api.web.responses import BASE, WITH_BODY, answer, answers, blueprint
from tables.messages.payment_events import PaymentEvent, PaymentEventKind

payments = blueprint("payments", "purchases")


@payments.post(
    "/purchases/<purchaseId>/payment",
    summary="Start the payment of a hold",
    responses=answers({200: PurchasePayment, 202: PurchasePayment}, "not-found", "nothing-to-pay", "still-running"),
)
def start_payment(path: PurchasePath) -> Response:
    """200 with `url`, the provider's page where the buyer pays, or 202 while the provider has not told it yet.

    A hold that would end while it is paid is lengthened once. Sent again, it is the same payment; after `declined` it
    is another try.
    """
    return deferred(started(ports(), caller(), path.purchase_id))


async def started(known: Ports, reader: Caller, public: str) -> RawResponse:
    """Start the payment of a purchase: the answer of the operation, also of its fast path. Refused: as it says."""
    ids = service.ids_of(public)
    found = await start(known, ids, reader.may_act_for, partial(purchase_of, known, reader, public))
    is_known = found.url is not None or found.state not in ("due", "authorizing")
    where = {"Location": f"{BASE}/purchases/{public}/payment"}
    body = found.model_dump_json(by_alias=True, exclude_none=True).encode()
    return RawResponse(200 if is_known else 202, JSON, where, body)


@payments.get(
    "/purchases/<purchaseId>/payment",
    summary="Read the payment of a purchase",
    responses=answers({200: PurchasePayment}, "not-found", "nothing-to-pay", "still-running"),
)
def read_payment(path: PurchasePath) -> Response:
    """Its state, and what was captured and refunded."""
    return answer(payment_of(ports(), service.ids_of(path.purchase_id), own_purchase(path.purchase_id)))


@payments.post(
    "/purchases/<purchaseId>/refunds",
    summary="Refund a purchase",
    responses=answers({201: Refund, 202: RefundList}, *WITH_BODY, *OF_RETURNS, "nothing-to-pay", "refund-too-large"),
    openapi_extensions={"parameters": [KEY]},
)
def refund_payment(path: PurchasePath, body: NewRefund) -> Response:
    """For the event's organizer and administrators: an `amount` for tickets that are kept, or `lines` and `seats`.

    At most what was captured and is not refunded yet, in the currency of the payment. Who ordered it, when and why is
    kept. 202 while it is not decided: send it again with the same key, which orders nothing more.
    """
    ordered = refund(path.purchase_id, body, request.headers.get("Idempotency-Key"))
    where = {"Location": f"{BASE}/purchases/{path.purchase_id}/refunds"}
    if ordered is None:
        return answer(refunds_of(ports(), service.ids_of(path.purchase_id)), 202, where)
    return answer(ordered, 201, where)


@payments.get(
    "/purchases/<purchaseId>/refunds",
    summary="List a purchase's refunds",
    responses=answers({200: RefundList}, "not-found", "nothing-to-pay"),
)
def list_refunds(path: PurchasePath) -> Response:
    """For the event's organizer and administrators: who ordered which refund, when and why, and what is left."""
    buyer_of(path.purchase_id)
    return answer(refunds_of(ports(), service.ids_of(path.purchase_id)))


@payments.get("/payments", summary="Read the state of all payments", responses=answers({200: PaymentOverview}))
def read_payments() -> Response:
    """For administrators: the money by currency, how many payments wait in which state, and the 50 oldest of them.

    The money is that of the payments in which something happened within the last seven days.
    """
    return answer(ports().payments.overview(ports().clock()))


@payments.post(
    "/payment-webhooks/<provider>",
    summary="Take a provider's webhook",
    responses=answers({200: TakenWebhook}, *WITH_BODY, "not-found", "webhook-refused"),
)
def take_webhook(path: ProviderPath) -> Response:
    """For providers. The signature and its age are checked. The event is in the log when this answers 200."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    now = ports().clock().timestamp()
    return deferred(taken(ports(), ports().payments.read_webhook(path.provider, request.get_data(), headers, now)))


async def taken(known: Ports, events: list[PaymentEvent]) -> RawResponse:
    """Write a webhook's events to the log: the answer of the operation, also of its fast path. Raises Unavailable."""
    for event in events:
        is_dispute = event.kind is PaymentEventKind.DISPUTED
        await known.payments.tell(await asyncio.to_thread(_with_organizer, known, event) if is_dispute else event)
    return RawResponse(200, JSON, {}, TakenWebhook(events=len(events)).model_dump_json().encode())


def _with_organizer(known: Ports, event: PaymentEvent) -> PaymentEvent:
    """A dispute with the account of the organizer, who is told of it."""
    found = known.events.get(event.event)
    return event if found is None else msgspec.structs.replace(event, account=found.organizer_id)
