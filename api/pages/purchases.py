"""The pages of purchases: the reader's list, and of each its state, tickets, cancelling, mail and calendar file."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.pages.forms import parse_body
from api.pages.holder_texts import purchase_notes
from api.pages.printed_tickets import purchase_calendar
from api.pages.purchase_status import CLOCK_SKEW_MAX, redirect_to_answer, redirect_to_purchase, up_to_date
from api.pages.purchase_view import purchase_values, ticket_values
from api.pages.refusal_texts import shown_refusal
from api.pages.seat_selection import SEAT_FIELD, chosen_seats
from api.pages.ticket_selection import ONCE_KEY, chosen_lines, chosen_quantities, order_key, quantity_fields
from api.ports.ports import ports
from api.problems import Refused, Unavailable
from api.purchasing import service
from api.purchasing.callers_purchases import own_purchase, owner_of
from api.purchasing.mails import ask_again
from api.schemas.event import Event
from api.schemas.notification import Notification
from api.schemas.purchase import Cancellation, Purchase, public_id
from api.web.authentication import caller
from api.web.prefer import Preference
from api.web.raw_response import RawResponse
from tables.messages.commands import TicketLine

purchases = Blueprint("purchases", __name__)

ACTIVE_STATUSES: Final = frozenset({"held", "confirmed"})
# How long the page asks for news of the mail.
MAIL_WATCH_MAX: Final = timedelta(minutes=2)

LIST_PURCHASES: Final = 20

Ids = tuple[UUID, UUID]


@purchases.get("/tickets")
def own_tickets() -> Response:
    """A page of the reader's purchases with their status, the newest first."""
    page = ports().sales.of_account(caller().account, LIST_PURCHASES, request.args.get("cursor"))
    events = {event: ports().events.get(event) for event in {item.event_id for item in page.items}}
    return make_response(render_template("tickets.html", page=page, events=events))


@purchases.get("/purchases/<public>")
def purchase(public: str) -> Response:
    """The purchase, or that it is still being processed."""
    ids = service.ids_of(public)
    found = up_to_date(lambda: own_purchase(public))
    if found is None:
        return _page("waiting.html", ids, again=request.full_path.rstrip("?"))
    page = f"/purchases/{public}"
    shown = purchase_values(found, page) | ticket_values(ids[0], found, page) | _mails(ids, found)
    shown["paid"] = ports().payments.find(*ids) if found.payment and found.payment.reference else None
    return _page("purchase.html", ids, refused=shown_refusal(), **shown)


@purchases.post("/purchases/<public>/confirm")
def confirm(public: str) -> BaseResponse:
    """Confirm the hold. Sent again, it has the same answer."""
    wanted, form = Preference(ports().purchase_wait), f"/purchases/{public}"
    return _carry_out(lambda: service.confirm(ports(), owner_of(public), public, ONCE_KEY, wanted), form, public)


@purchases.get("/purchases/<public>/cancel")
def cancel_form(public: str) -> BaseResponse:
    """The form that cancels all tickets or some of them."""
    found = own_purchase(public)
    if found.status not in ACTIVE_STATUSES:
        return redirect_to_purchase(public)
    return _page(
        "cancel.html",
        service.ids_of(public),
        purchase=found,
        order_key=order_key(request.args),
        chosen=chosen_quantities(),
        seats=chosen_seats(),
        seat_field=SEAT_FIELD,
        refused=shown_refusal(),
    )


@purchases.post("/purchases/<public>/cancel")
def cancel(public: str) -> BaseResponse:
    """Cancel all tickets, or the chosen quantities and seats. Sent again, it cancels nothing more."""
    everything = "all" in request.form
    key = ONCE_KEY if everything else request.form.get("order_key")
    wanted, form = Preference(ports().purchase_wait), f"/purchases/{public}/cancel"
    asked_for, seats = ([], []) if everything else (chosen_lines(), chosen_seats())
    if not (asked_for or seats or everything):
        return _redirect_refused(form, "nothing-chosen")
    asked = parse_body(Cancellation, {"lines": asked_for, "seats": seats})
    gone = [TicketLine(line.ticket_type_id, line.quantity) for line in asked.lines]
    return _carry_out(
        lambda: service.cancel(ports(), owner_of(public), public, gone, key, wanted, asked.seats), form, public
    )


@purchases.get("/purchases/<public>/mails")
def mails(public: str) -> Response:
    """The status of the mail, as a fragment for htmx."""
    ids = service.ids_of(public)
    return _page("mails.html", ids, **_mails(ids, own_purchase(public)))


@purchases.post("/purchases/<public>/mails")
def send_again(public: str) -> BaseResponse:
    """Send the mail again."""
    try:
        ask_again(*service.ids_of(public), own_purchase(public))
    except Refused as error:
        if error.kind == "not-found":
            raise
        return _redirect_refused(f"/purchases/{public}", error.kind)
    return redirect_to_purchase(public)


@purchases.get("/purchases/<public>/event.ics")
def calendar_file(public: str) -> Response:
    """The event as a calendar file, with the same entry as in the mail."""
    ids = service.ids_of(public)
    found, event = own_purchase(public), ports().events.get(ids[0])
    if event is None or found.status != "confirmed":
        raise Refused("not-found")
    answer = make_response(purchase_calendar(ids, found, event, ports().mail_domain, purchase_notes(found, event)))
    answer.mimetype = "text/calendar"
    answer.headers["Content-Disposition"] = 'attachment; filename="event.ics"'
    return answer


def _carry_out(do: Callable[[], Coroutine[Any, Any, RawResponse]], form: str, public: str) -> BaseResponse:
    """Redirect to the purchase; if the outcome is unknown, to the form with the same key and quantities."""
    began = ports().clock()
    try:
        return redirect_to_answer(ports().in_loop(do()), began)
    except Refused as error:
        if error.kind == "not-found":
            raise
        return (
            redirect_to_purchase(public, began - CLOCK_SKEW_MAX)
            if error.kind == "still-running"
            else _redirect_refused(f"/purchases/{public}", error.kind)
        )
    except Unavailable:
        seats = {SEAT_FIELD: chosen_seats()}
        return _redirect_refused(
            form, "unavailable", key=request.form.get("order_key", ""), **quantity_fields(), **seats
        )


def _redirect_refused(path: str, reason: str, **more: str | list[str]) -> BaseResponse:
    return redirect(f"{path}?{urlencode({'refused': reason} | more, doseq=True)}", 303)


def _mails(ids: Ids, found: Purchase) -> dict[str, Any]:
    """The newest mail about the purchase's current status, and whether the page should ask for news of it."""
    known = [mail for mail in ports().notifications.of(*ids) if mail.kind == found.status]
    newest: Notification | None = known[-1] if known else None
    age = None if found.decided_at is None else ports().clock() - found.decided_at
    asked = newest is not None and newest.status == "requested"
    watch = (newest is None or asked) and age is not None and age < MAIL_WATCH_MAX
    return {"mail": newest, "watch_mail": watch or asked}


def _page(template: str, ids: Ids, **values: Any) -> Response:
    event: Event | None = ports().events.get(ids[0])
    return make_response(render_template(template, public=public_id(*ids), event=event, **values))
