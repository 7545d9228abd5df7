"""The mails of a purchase, and sending one again; for the buyer and administrators."""

from uuid import UUID

from flask import Response

from api.ports.ports import ports
from api.purchasing import service
from api.purchasing.mails import ask_again
from api.schemas.notification import Notification, NotificationList
from api.schemas.purchase import Purchase, PurchasePath
from api.web.authentication import caller
from api.web.responses import BASE, answer, answers, blueprint

notifications = blueprint("notifications", "purchases")


@notifications.get(
    "/purchases/<purchaseId>/notifications",
    summary="List a purchase's mails",
    responses=answers({200: NotificationList}, "not-found"),
)
def list_notifications(path: PurchasePath) -> Response:
    """A mail is listed moments after the mail server accepted it."""
    event, purchase, _ = _own(path)
    return answer(NotificationList(items=ports().notifications.of(event, purchase)))


@notifications.post(
    "/purchases/<purchaseId>/notifications",
    summary="Send a purchase's mail again",
    responses=answers({202: Notification}, "not-found", "nothing-to-send", "too-many-requests"),
)
def send_again(path: PurchasePath) -> Response:
    """The present state of the purchase, with its tickets, to the account's address. A few times a day."""
    return answer(ask_again(*_own(path)), 202, {"Location": f"{BASE}/purchases/{path.purchase_id}/notifications"})


def _own(path: PurchasePath) -> tuple[UUID, UUID, Purchase]:
    """The purchase, if it is the caller's. Refused: not-found, also for somebody else's."""
    ids = service.ids_of(path.purchase_id)
    found = ports().sales.find(*ids, caller().may_act_for)
    if found is None:
        raise service.no_purchase()
    return *ids, found
