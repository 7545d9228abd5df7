"""An event's page: its description, its ticket types with their availability, and the form that holds tickets."""

from datetime import timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.bounded_cache import BoundedCache
from api.organizing.callers_events import shown_event
from api.pages.forms import parse_body
from api.pages.language import language, use_language
from api.pages.offers import open_flags, shown_offers
from api.pages.purchase_status import redirect_to_answer, redirect_to_purchase
from api.pages.refusal_texts import shown_refusal
from api.pages.seat_selection import (
    SEAT_FIELD,
    SEAT_WISHES,
    redirect_to_same_seats,
    redirect_to_seats,
    seat_lines,
    seat_wishes,
    with_best,
)
from api.pages.status_labels import event_label
from api.pages.ticket_selection import FIELD_PREFIX, chosen_lines, chosen_quantities, order_key, quantity_fields
from api.ports.ports import ports
from api.problems import Refused, Unavailable
from api.purchasing import service
from api.schemas.purchase import NewPurchase, public_id
from api.web.authentication import caller
from api.web.prefer import Preference

events = Blueprint("events", __name__)

# An order within one request never takes longer.
RUNNING_MAX: Final = timedelta(seconds=10)
CACHE_TTL_S: Final = 1.0
CACHE_MAX_ENTRIES: Final = 2_000
_CACHE: Final = "pieces of events"


@events.get("/events/<uuid:event_id>")
def event(event_id: UUID) -> str:
    """The event and its tickets. The URL may have the chosen quantities and why an order was refused."""
    found, plan = shown_event(event_id), ports().seating.outline(event_id)
    shown = shown_offers(found, chosen_quantities())
    if sum(offer.is_open for offer in shown) == 1 and not any(offer.chosen for offer in shown):
        shown = [offer._replace(chosen=1 if offer.is_open else 0) for offer in shown]
    return render_template(
        "event.html",
        event=found,
        offers=shown,
        closed=event_label(found, ports().clock()),
        open_flags=open_flags(shown),
        order_key=order_key(request.args),
        refused=shown_refusal(),
        field_prefix=FIELD_PREFIX,
        seated=plan.seated if plan else frozenset(),
        wishes=SEAT_WISHES,
    )


@events.get("/events/<uuid:event_id>/choose")
def choose(event_id: UUID) -> BaseResponse:
    """Redirect to the event with the chosen quantities or seats, after signing in."""
    query = request.query_string.decode("ascii", "ignore")
    page = f"/events/{event_id}/seats" if SEAT_FIELD in request.args else f"/events/{event_id}"
    return redirect(f"{page}{'?' if query else ''}{query}", 303)


@events.get("/events/<uuid:event_id>/left")
def left(event_id: UUID) -> Response:
    """The current availability as fragments for htmx.

    ``open`` says which ticket types the page shows as open; ``in`` is its language, since no session is read here.
    """
    use_language(request.args.get("in"))
    seen = request.args.get("open", "")[:200]
    known, key = _fragments(), (event_id, seen, language())
    fragment = known.get(key)
    if fragment is None:
        found = shown_event(event_id)
        shown = shown_offers(found, {})
        flags = open_flags(shown)
        text = render_template(
            "left.html", event=found, offers=shown, seen=seen, open_flags=flags, field_prefix=FIELD_PREFIX
        )
        fragment = _Fragment(text, is_other_page=("1" in seen) != ("1" in flags))
        known.put(key, fragment)
    # The page has a button if anything can be chosen, and for this reader only the page itself can tell which.
    return make_response(fragment.text, {"HX-Refresh": "true"} if fragment.is_other_page else {})


@events.post("/events/<uuid:event_id>/hold")
def hold(event_id: UUID) -> BaseResponse:
    """Hold the chosen tickets and redirect to the purchase. The same form sent again is the same purchase."""
    shown_event(event_id)
    key, began = request.form.get("order_key"), ports().clock()
    counted = chosen_lines()
    try:
        asked_for = with_best(event_id, counted) + seat_lines(event_id)
        if not asked_for:
            return _redirect_refused(event_id, "nothing-chosen")
        asked = parse_body(NewPurchase, {"eventId": event_id, "lines": asked_for, "hold": True})
        bought = service.buy(ports(), caller(), asked, key, Preference(ports().purchase_wait))
        return redirect_to_answer(ports().in_loop(bought), began)
    except Refused as error:
        if error.kind == "still-running":
            return redirect_to_purchase(
                public_id(event_id, service.purchase_id(caller().account, key)), began - RUNNING_MAX
            )
        return (
            redirect_to_seats(event_id, error)
            if SEAT_FIELD in request.form
            else _redirect_refused(event_id, error.kind)
        )
    except Unavailable:
        # The order may be in the log, so the next try must have the same key.
        if SEAT_FIELD in request.form:
            return redirect_to_same_seats(event_id, key or "")
        return _redirect_refused(event_id, "unavailable", key=key or "")


class _Fragment(NamedTuple):
    """The fragments for the pages that show the same types as open, and whether these have to be reloaded."""

    text: str
    is_other_page: bool


def _fragments() -> BoundedCache[tuple[UUID, str, str], _Fragment]:
    """The cache of rendered fragments, so that many open pages cost little."""
    kept: BoundedCache[tuple[UUID, str, str], _Fragment] = current_app.extensions.setdefault(
        _CACHE, BoundedCache(CACHE_MAX_ENTRIES, CACHE_TTL_S)
    )
    return kept


def _redirect_refused(event_id: UUID, reason: str, **more: str) -> BaseResponse:
    """Redirect to the event with the chosen quantities and why the order was refused."""
    return redirect(
        f"/events/{event_id}?{urlencode({'refused': reason} | more | quantity_fields() | seat_wishes())}#choose", 303
    )
