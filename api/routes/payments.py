"""Payments of purchases, and the door for the providers' webhooks."""

from flask import Response, request

from api.paying.payments import payment_of, start
from api.ports.ports import ports
from api.purchasing import service
from api.routes.purchases import own_purchase
from api.schemas.payment import ProviderPath, PurchasePayment, TakenWebhook
from api.schemas.purchase import PurchasePath
from api.web.responses import BASE, WITH_BODY, answer, answers, blueprint

payments = blueprint("payments", "purchases")


@payments.post(
    "/purchases/<purchaseId>/payment",
    summary="Start the payment of a hold",
    responses=answers({200: PurchasePayment, 202: PurchasePayment}, "not-found", "nothing-to-pay", "still-running"),
)
def start_payment(path: PurchasePath) -> Response:
    """200 with `url`, the provider's page where the buyer pays, or 202 while the provider has not told it yet.

    The hold is lengthened once. Sent again, it is the same payment; after `declined` it is another try.
    """
    ids = service.ids_of(path.purchase_id)
    found = start(ports(), ids, own_purchase(path.purchase_id))
    is_known = found.url is not None or found.state not in ("due", "authorizing")
    where = {"Location": f"{BASE}/purchases/{path.purchase_id}/payment"}
    return answer(found, 200 if is_known else 202, where)


@payments.get(
    "/purchases/<purchaseId>/payment",
    summary="Read the payment of a purchase",
    responses=answers({200: PurchasePayment}, "not-found", "nothing-to-pay", "still-running"),
)
def read_payment(path: PurchasePath) -> Response:
    """Its state, and what was captured and refunded."""
    return answer(payment_of(ports(), service.ids_of(path.purchase_id), own_purchase(path.purchase_id)))


@payments.post(
    "/payment-webhooks/<provider>",
    summary="Take a provider's webhook",
    responses=answers({200: TakenWebhook}, *WITH_BODY, "not-found", "webhook-refused"),
)
def take_webhook(path: ProviderPath) -> Response:
    """For providers. The signature and its age are checked. The event is in the log when this answers 200."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    now = ports().clock().timestamp()
    events = ports().payments.read_webhook(path.provider, request.get_data(), headers, now)
    for event in events:
        ports().payments.tell(event)
    return answer(TakenWebhook(events=len(events)))
