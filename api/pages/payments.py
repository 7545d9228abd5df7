"""The page on which a hold is paid. The card or account is asked for by the provider's own page, never here."""

from functools import partial
from typing import Any, Final

from flask import Blueprint, Response, make_response, redirect, render_template
from werkzeug.wrappers import Response as BaseResponse

from api.pages.language import lazy_gettext
from api.paying.payments import payment_of, start
from api.ports.ports import ports
from api.purchasing import service
from api.purchasing.callers_purchases import own_purchase, purchase_of
from api.schemas.purchase import Purchase
from api.web.authentication import caller
from api.web.security_headers import CARD_HEADERS

payments = Blueprint("payments", __name__)

# Nothing has to be done by the buyer.
SETTLED_STATES: Final = frozenset({"captured", "elsewhere"})
# The hold ended before it was paid, unless its tickets cost nothing or somebody else took the money.
UNPAID_STATES: Final = frozenset({"voiding", "voided", "ended"})
# The page asks for news of these.
CHANGING_STATES: Final = frozenset(
    {"authorizing", "declined", "confirming", "capturing", "voiding", "refunding", "revoking"}
)
PAYABLE_STATES: Final = frozenset({"authorizing", "declined"})
TEXTS: Final = {
    "due": lazy_gettext("Pay now and the tickets are yours."),
    "authorizing": lazy_gettext("Waiting for your payment. You pay on the page of the payment provider."),
    "declined": lazy_gettext(
        "The payment was declined. Nothing was charged. You can try again, also with another card."
    ),
    "confirming": lazy_gettext("Your payment has arrived. The tickets are being issued."),
    "capturing": lazy_gettext("Your payment has arrived. The tickets are being issued."),
    "revoking": lazy_gettext("The payment failed. Nothing was charged, and the tickets go back on sale."),
    "refunding": lazy_gettext("Your money is on its way back to you. It can take up to ten days to arrive."),
    "refunded": lazy_gettext("Your money was paid back. It can take up to ten days to arrive."),
}
ENDED_TEXT: Final = lazy_gettext("The time to pay has passed. Nothing was charged.")


@payments.get("/purchases/<public>/payment")
def payment(public: str) -> BaseResponse:
    """The payment's state, and how to go on; the tickets once it is paid."""
    owned = own_purchase(public)
    found = payment_of(ports(), service.ids_of(public), owned)
    is_settled = found.state in SETTLED_STATES or (found.state in UNPAID_STATES and _has_tickets_without_due(owned))
    if is_settled or ports().payments.provider is None:
        return redirect(f"/purchases/{public}", 303)
    return _page(public, found=found)


@payments.post("/purchases/<public>/payment")
def pay(public: str) -> BaseResponse:
    """Start the payment, or try again. Sent again, it is the same payment."""
    known, reader = ports(), caller()
    known.in_loop(start(known, service.ids_of(public), reader.may_act_for, partial(purchase_of, known, reader, public)))
    return redirect(f"/purchases/{public}/payment", 303)


@payments.get("/purchases/<public>/card")
def card(public: str) -> BaseResponse:
    """Where the buyer pays with the provider's own fields: frames of its host, whose content never reaches us."""
    ids = service.ids_of(public)
    found = payment_of(ports(), ids, own_purchase(public))
    fields = ports().payments.page_fields(*ids) if found.state in PAYABLE_STATES else None
    if fields is None:
        return redirect(f"/purchases/{public}/payment", 303)
    page = _page(public, template="card.html", found=found, fields=fields)
    page.headers.update(CARD_HEADERS)
    return page


def _has_tickets_without_due(owned: Purchase) -> bool:
    return owned.status in ("held", "confirmed") and (owned.payment is None or owned.payment.due is None)


def _page(public: str, template: str = "payment.html", **values: Any) -> Response:
    state = values["found"].state
    event, _ = service.ids_of(public)
    return make_response(
        render_template(
            template,
            public=public,
            event=ports().events.get(event),
            text=TEXTS.get(state, ENDED_TEXT),
            is_changing=state in CHANGING_STATES,
            **values,
        )
    )
