"""The organizer's own events: sales, changes of status, attendees."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from api.organizing.callers_events import change_own, managed_event
from api.organizing.changes import changed
from api.pages.charts import HEIGHT, WIDTH, axis_top, step_path
from api.pages.forms import form_errors, parse_body
from api.pages.language import LazyText, gettext, lazy_gettext
from api.ports.events import Listing
from api.ports.ports import ports
from api.ports.sales import Curve
from api.problems import Refused
from api.schemas.event import Event
from api.schemas.pagination import PageQuery, page
from api.schemas.sales import TypeSales
from api.schemas.ticket import TicketType
from api.web.authentication import caller
from api.web.csv_export import csv_export
from tables.messages.statuses import EVENT_TRANSITIONS, EventStatus, may_change

organizing = Blueprint("organizing", __name__)

PAGE_EVENTS: Final = 50
PLOT_LINES_MAX: Final = 6


class StatusAction(NamedTuple):
    """A change of an event's status: its label, its meaning, and whether everybody with tickets gets a mail."""

    status: EventStatus
    label: LazyText
    meaning: LazyText
    mails: bool = False


_STATUS_ACTIONS: Final = (
    StatusAction(
        EventStatus.ACTIVE, lazy_gettext("Publish"), lazy_gettext("Everybody can find the event and buy tickets.")
    ),
    StatusAction(
        EventStatus.ON_HOLD,
        lazy_gettext("Pause sales"),
        lazy_gettext("Nothing is sold until you resume. Tickets already sold stay valid."),
    ),
    StatusAction(
        EventStatus.SOLD_OUT,
        lazy_gettext("Mark as sold out"),
        lazy_gettext("Sales stop, and the event is shown as sold out."),
    ),
    StatusAction(
        EventStatus.POSTPONED,
        lazy_gettext("Postpone"),
        lazy_gettext("Nothing is sold until you resume. Tickets already sold stay valid."),
    ),
    StatusAction(
        EventStatus.DONE,
        lazy_gettext("Mark as over"),
        lazy_gettext("The event is over. Nothing can be changed after that."),
    ),
    StatusAction(
        EventStatus.CANCELED,
        lazy_gettext("Cancel the event"),
        lazy_gettext("Every ticket is refunded and every hold ends. This cannot be undone."),
    ),
)
_RESUME: Final = StatusAction(
    EventStatus.ACTIVE, lazy_gettext("Resume sales"), lazy_gettext("Tickets are on sale again.")
)
_MAILED: Final = frozenset({EventStatus.CANCELED, EventStatus.POSTPONED})


class PlotLine(NamedTuple):
    """A ticket type's line in the sales plot."""

    name: str
    path: str
    sold: int


@organizing.get("/organize")
def own_events() -> str:
    """The events, the newest first; an administrator sees those of all organizers."""
    found = caller()
    query = parse_body(PageQuery, {"limit": PAGE_EVENTS, "cursor": request.args.get("cursor")})
    items, following = page(
        query,
        lambda limit, after: ports().events.list(
            limit,
            after,
            organizer=None if found.is_administrator else found.account,
            status=None,
            drafts_of=found.account,
            all_drafts=found.is_administrator,
        ),
    )
    return render_template("organize.html", events=items, following=following)


@organizing.get("/organize/events/<uuid:event_id>")
def own_event(event_id: UUID) -> str:
    """An event with its ticket types, its sales and its possible status changes."""
    event = managed_event(event_id)
    tickets = ports().events.tickets(event_id) or ()
    totals = ports().sales.of_event(event_id, 1, None)
    sums = {each.ticket_type_id: each for each in totals.ticket_types or ()}
    return render_template(
        "organized_event.html",
        event=event,
        rows=[(ticket, sums.get(ticket.id)) for ticket in tickets],
        gone=[each for kind, each in sums.items() if kind not in {ticket.id for ticket in tickets}],
        payments=totals.payments or (),
        actions=status_actions(event.status),
        plot=_plot(ports().attendance.curve(event_id), tickets, sums),
        reached=ports().attendance.reached(event_id),
    )


@organizing.get("/organize/events/<uuid:event_id>/status/<status>")
def confirm_status(event_id: UUID, status: str) -> Response:
    """Ask for confirmation: what will happen, and how many people get a mail."""
    event = managed_event(event_id)
    return _status_page(event, _status_action(event, status), {})


@organizing.post("/organize/events/<uuid:event_id>/status/<status>")
def change_status(event_id: UUID, status: str) -> BaseResponse:
    """Change the status, unless the event was changed since the question was shown."""
    event = managed_event(event_id)
    action = _status_action(event, status)
    try:
        change_on_version(event_id, partial(changed, fields={"status": action.status}, now=ports().clock()))
    except Refused as error:
        return _status_page(managed_event(event_id), action, form_errors(error), 409)
    return redirect(f"/organize/events/{event_id}", 303)


@organizing.get("/organize/events/<uuid:event_id>/payments.csv")
def payment_list(event_id: UUID) -> Response:
    """The payments of an event, as the API has them."""
    managed_event(event_id)
    return csv_export(f"payments-{event_id}.csv", ports().sales.payments_of_event(event_id))


@organizing.get("/organize/events/<uuid:event_id>/attendees.csv")
def attendees(event_id: UUID) -> Response:
    """The attendees by name as CSV; no cell is read as a formula."""
    managed_event(event_id)
    return csv_export(f"attendees-{event_id}.csv", ports().attendance.attendees(event_id))


def status_actions(status: EventStatus) -> list[StatusAction]:
    """The possible changes of an event with that status."""
    return [_for_status(status, action) for action in _STATUS_ACTIONS if action.status in EVENT_TRANSITIONS[status]]


def change_on_version(event_id: UUID, decide: Callable[[Listing], Listing]) -> None:
    """Change the event if it still has the form's version. Refused: precondition-failed and by ``decide``."""
    version = request.form.get("version")

    def decide_on_version(listing: Listing) -> Listing:
        check_version(listing.event, version)
        return decide(listing)

    change_own(event_id, decide_on_version)


def check_version(event: Event, read: str | None) -> None:
    """Refused: precondition-failed, if the event has another version than the form."""
    if read != str(event.version):
        raise Refused("precondition-failed", "", version=event.version)


def _for_status(before: EventStatus, action: StatusAction) -> StatusAction:
    """The change from this status: nobody has tickets of a draft, and the end of a postponement is mailed."""
    if action.status is EventStatus.ACTIVE and before is not EventStatus.DRAFT:
        action = _RESUME
    goes_on = before is EventStatus.POSTPONED and action.status is not EventStatus.DONE
    return action._replace(mails=before is not EventStatus.DRAFT and (goes_on or action.status in _MAILED))


def _status_action(event: Event, status: str) -> StatusAction:
    found = next((action for action in _STATUS_ACTIONS if action.status == status), None)
    if found is None:
        raise Refused("not-found")
    return _for_status(event.status, found)


def _status_page(event: Event, action: StatusAction, errors: dict[str, str], status: int = 200) -> Response:
    reached = ports().attendance.reached(event.id)
    possible = action.status != event.status and may_change(event.status, action.status)
    text = render_template("status.html", event=event, action=action, reached=reached, errors=errors, possible=possible)
    return make_response(text, status if possible or errors else 409)


def _plot(
    curve: Curve | None, tickets: tuple[TicketType, ...], sums: dict[UUID, TypeSales]
) -> dict[str, object] | None:
    """The best-selling ticket types as lines, and the ends of the axes."""
    if curve is None:
        return None
    names = {kind: each.name for kind, each in sums.items()} | {ticket.id: ticket.name for ticket in tickets}
    most = sorted(curve.types, key=lambda kind: curve.types[kind][-1][1], reverse=True)[:PLOT_LINES_MAX]
    highest = axis_top([curve.types[kind][-1][1] for kind in most])
    lines = [
        PlotLine(names.get(kind, gettext("a ticket type")), _path(curve.types[kind], highest), curve.types[kind][-1][1])
        for kind in most
    ]
    return {"box": f"0 0 {WIDTH} {HEIGHT}", "lines": lines, "top": highest, "begins": curve.begins, "ends": curve.ends}


def _path(grown: tuple[tuple[float, int], ...], highest: int) -> str:
    """From 0 at the left edge to the last value at the right edge."""
    return step_path([(0.0, 0), *grown, (1.0, grown[-1][1])], highest)
