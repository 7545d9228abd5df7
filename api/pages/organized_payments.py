"""The organizer's payments of an event: the list, and each purchase with its refunds and forms.

A hold whose money the organizer has taken himself is confirmed here, with his own reference.
"""

from typing import Any, Final

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.organizing.callers_events import managed_event
from api.pages.forms import Reader, form_errors, parse_body, read_form, typed_amount
from api.pages.language import lazy_gettext
from api.pages.refusal_texts import REFUSAL_TEXTS
from api.pages.seat_selection import SEAT_FIELD, chosen_seats
from api.pages.status_labels import PAYMENT_LABELS, StatusLabel
from api.pages.ticket_selection import chosen_lines, order_key
from api.paying.refunds import buyer_of, refund
from api.ports.ports import ports
from api.problems import Refused
from api.purchasing import service
from api.schemas.payment import NewRefund
from api.schemas.purchase import PurchaseConfirmation
from api.web.prefer import Preference
from tables.messages.sections import ORDER_MAX_SEATS

organized_payments = Blueprint("organized_payments", __name__)

# The idempotency key of a confirmation: a repeated click is the same request.
ONCE_KEY: Final = "organizer"
# The fields of the reason in the form for an amount, and in that for tickets.
REASON_FIELDS: Final = ("reason", "why")
ORDER_LABELS: Final = {
    "ordered": StatusLabel(lazy_gettext("Waiting for the tickets"), "warn"),
    "accepted": StatusLabel(lazy_gettext("Accepted"), "good"),
    "refused": StatusLabel(lazy_gettext("Refused"), "bad"),
}


# Why a refund was refused, in words for the organizer.
REFUND_REFUSALS: Final = {
    "refund-too-large": REFUSAL_TEXTS["refund-too-large"],
    "nothing-to-cancel": lazy_gettext("The buyer no longer has these tickets."),
    "too-many-changes": lazy_gettext(
        "This order was changed too often. Its tickets can only be taken back all together."
    ),
}


@organized_payments.get("/organize/events/<uuid:event_id>/payments")
def payments(event_id: Any) -> str:
    """The purchases that are paid online, the newest first."""
    event = managed_event(event_id)
    items, following = ports().payments.of_event(event_id, request.args.get("cursor"))
    return render_template(
        "organized_payments.html", event=event, items=items, following=following, labels=PAYMENT_LABELS
    )


@organized_payments.get("/organize/purchases/<public>")
def purchase(public: str) -> Response:
    """A purchase with what was paid and refunded, and why."""
    buyer_of(public)
    return _page(public, {})


@organized_payments.post("/organize/purchases/<public>/refunds")
def order_refund(public: str) -> BaseResponse:
    """Refund an amount, or the chosen tickets. Sent again, it refunds nothing more."""
    buyer_of(public)
    reason = REASON_FIELDS[_is_of_tickets()]
    try:
        refund(public, _new_refund(reason), request.form.get("order_key"))
    except Refused as error:
        errors = {reason if name == "reason" else name: text for name, text in form_errors(error).items()}
        return _page(public, errors, error.status)
    return redirect(f"/organize/purchases/{public}", 303)


@organized_payments.post("/organize/purchases/<public>/confirm")
def confirm(public: str) -> BaseResponse:
    """Confirm a hold with the reference of money that was taken elsewhere. Sent again, it has the same answer."""
    buyer = buyer_of(public)
    try:
        reference = parse_body(PurchaseConfirmation, {"reference": request.form.get("reference", "").strip()}).reference
        wanted = Preference(ports().purchase_wait)
        ports().in_loop(service.confirm(ports(), buyer, public, ONCE_KEY, wanted, reference))
    except Refused as error:
        return _page(public, form_errors(error), error.status)
    return redirect(f"/organize/purchases/{public}", 303)


def _is_of_tickets() -> bool:
    return "amount" not in request.form


def _new_refund(reason: str) -> NewRefund:
    readers: dict[str, Reader] = {"reason": lambda sent: sent.get(reason, "")}
    if _is_of_tickets():
        readers["lines"] = lambda _: chosen_lines()
        readers["seats"] = lambda _: chosen_seats(ORDER_MAX_SEATS)
    else:
        readers["amount"] = _amount
    return read_form(NewRefund, readers, readers, request.form.to_dict())


def _amount(sent: Any) -> dict[str, str]:
    return {"amount": typed_amount(sent.get("amount", "")), "currency": sent.get("currency", "")}


def _page(public: str, errors: dict[str, str], status: int = 200) -> Response:
    ids = service.ids_of(public)
    text = render_template(
        "organized_payment.html",
        public=public,
        event=managed_event(ids[0]),
        purchase=ports().sales.find(*ids, lambda _: True),
        payment=ports().payments.find(*ids),
        refunds=ports().payments.refunds(*ids),
        labels=PAYMENT_LABELS,
        order_labels=ORDER_LABELS,
        refusals=REFUND_REFUSALS,
        order_key=order_key(request.form),
        seat_field=SEAT_FIELD,
        seats=chosen_seats(ORDER_MAX_SEATS),
        given=request.form,
        errors=errors,
    )
    return make_response(text, status)
