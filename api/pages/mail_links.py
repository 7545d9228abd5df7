"""The pages behind links in mails: confirm a hold or see a purchase without signing in.

Opening a link changes nothing, since mail scanners open links too; the button does. A link permits only what it was
signed for: the link that confirms a hold does not show the tickets.
"""

from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.pages.errors import ErrorText, error_page
from api.pages.language import lazy_gettext
from api.pages.link_pages import link_subject, link_text
from api.pages.purchase_status import CLOCK_SKEW_MAX, decided_at, milliseconds, up_to_date
from api.pages.purchase_view import purchase_values, ticket_values
from api.pages.refusal_texts import shown_refusal
from api.pages.ticket_selection import ONCE_KEY
from api.ports.ports import ports
from api.problems import Refused, Unavailable
from api.purchasing import service
from api.purchasing.mails import SENT_AGAIN, ask_again
from api.schemas.purchase import Purchase, public_id
from api.web.prefer import Preference
from tables.mail.links import PATHS, LinkedPurchase
from tables.signing.links import LinkExpired, LinkInvalid, LinkKind

links = Blueprint("links", __name__)

HOLD_PATH: Final = PATHS[LinkKind.FINISH_HOLD]
PURCHASE_PATH: Final = PATHS[LinkKind.SEE_PURCHASE]


INVALID: Final = ErrorText(
    lazy_gettext("This link is incomplete"),
    lazy_gettext(
        "Please open it from the e-mail again, or copy all of it. You can also sign in and look under “My tickets”."
    ),
    lazy_gettext("My tickets"),
    "/tickets",
)
links.register_error_handler(LinkInvalid, lambda error: error_page(INVALID, 404))


@links.get(HOLD_PATH)
def hold() -> Response:
    """The hold with a button to buy it; after it has ended, what became of it, without codes."""
    linked = _linked(LinkKind.FINISH_HOLD)
    found = up_to_date(lambda: _found(linked))
    return _waiting(linked) if found is None else _page("linked_hold.html", HOLD_PATH, linked, found)


@links.post(HOLD_PATH)
def finish_hold() -> BaseResponse:
    """Confirm the hold like the purchase's own page does. Sent again, it confirms nothing more."""
    linked, began = _linked(LinkKind.FINISH_HOLD), ports().clock()
    wanted = Preference(ports().purchase_wait)
    try:
        confirming = service.confirm(
            ports(), linked.account, public_id(linked.event, linked.purchase), ONCE_KEY, wanted
        )
        made = ports().in_loop(confirming)
    except Refused as error:
        if error.kind != "still-running":
            return _redirect(HOLD_PATH, refused=error.kind)
        return _redirect(HOLD_PATH, since=milliseconds(began - CLOCK_SKEW_MAX))
    except Unavailable:
        return _redirect(HOLD_PATH, refused="unavailable")
    return _redirect(HOLD_PATH, since=milliseconds(decided_at(made, began)))


@links.get(PURCHASE_PATH)
def purchase() -> Response:
    """The purchase with its tickets."""
    linked = _linked(LinkKind.SEE_PURCHASE)
    found = _found(linked)
    tickets = ticket_values(linked.event, found, _url(PURCHASE_PATH))
    more = {"is_sent": "sent" in request.args, "can_be_sent": found.status in SENT_AGAIN}
    return _page("linked_purchase.html", PURCHASE_PATH, linked, found, **tickets, **more)


@links.post(PURCHASE_PATH)
def send_again() -> BaseResponse:
    """Send the purchase's mail again, to its account's address."""
    linked = _linked(LinkKind.SEE_PURCHASE)
    try:
        ask_again(linked.event, linked.purchase, _found(linked))
    except Refused as error:
        return _redirect(PURCHASE_PATH, refused=error.kind)
    return _redirect(PURCHASE_PATH, sent="")


def _linked(kind: LinkKind) -> LinkedPurchase:
    """The purchase that the link of this request was signed for. Raises LinkInvalid and LinkExpired.

    Refused: too-many-requests, unknown-account.
    """
    linked = LinkedPurchase.read(link_subject(kind))
    ports().in_loop(ports().catalogue.check_account(linked.account))
    return linked


@links.errorhandler(LinkExpired)
def _expired(error: LinkExpired) -> Response:
    linked = LinkedPurchase.read(error.subject)
    if request.path == HOLD_PATH:
        told = ErrorText(
            lazy_gettext("This hold has ended"),
            lazy_gettext(
                "If you bought the tickets in time, we sent them in another e-mail. If not, they are on sale again, "
                "and you owe nothing."
            ),
            lazy_gettext("View event"),
            f"/events/{linked.event}",
        )
    else:
        told = ErrorText(
            lazy_gettext("This link has expired"),
            lazy_gettext("It showed your purchase until 30 days after the event. Sign in to see it."),
            lazy_gettext("View purchase"),
            f"/purchases/{public_id(linked.event, linked.purchase)}",
        )
    return error_page(told, 410)


def _found(linked: LinkedPurchase) -> Purchase:
    found = ports().sales.find(linked.event, linked.purchase, linked.account.__eq__)
    if found is None:
        raise service.no_purchase()
    return found


def _page(template: str, path: str, linked: LinkedPurchase, found: Purchase, **more: Any) -> Response:
    text = render_template(
        template,
        event=ports().events.get(linked.event),
        public=public_id(linked.event, linked.purchase),
        path=path,
        link=link_text(),
        refused=shown_refusal(),
        **purchase_values(found, _url(path)),
        **more,
    )
    return make_response(text)


def _waiting(linked: LinkedPurchase) -> Response:
    event = ports().events.get(linked.event)
    return make_response(render_template("waiting.html", event=event, again=request.full_path))


def _redirect(path: str, **more: object) -> BaseResponse:
    return redirect(_url(path, **more), 303)


def _url(path: str, **more: object) -> str:
    return f"{path}?{urlencode({'link': link_text()} | more)}"
