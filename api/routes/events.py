"""Events."""

from collections.abc import Callable
from functools import partial

from flask import Response

from api.organizing.callers_events import change_own, check_owner, managed_event, not_yours, shown_event
from api.organizing.changes import changed, given, new_listing, withdrawn
from api.ports.events import Listing
from api.ports.ports import ports
from api.problems import Refused
from api.schemas.event import (
    Event,
    EventBody,
    EventChange,
    EventList,
    EventName,
    EventPath,
    EventQuery,
    NewEvent,
    StatusChange,
)
from api.schemas.pagination import page
from api.web.authentication import caller, require_to_act_for, visitor
from api.web.etags import check_match, check_match_if_given, tagged
from api.web.responses import BASE, IF_MATCH, WITH_BODY, WITH_MATCH, answer, answers, blueprint

events = blueprint("events", "events")

CHANGED = answers({200: Event}, *WITH_BODY, *WITH_MATCH, "not-found", "transition-refused", "payment-mode-fixed")


@events.post(
    "/events",
    summary="Create an event",
    responses=answers({201: Event}, *WITH_BODY, "unknown-account", "already-exists"),
)
def create_event(body: NewEvent) -> Response:
    """A DRAFT unless the request says ACTIVE. Ids are generated unless the request has them.

    The organizer is the caller; an administrator may name another.
    """
    organizer = body.organizer_id or caller().account
    require_to_act_for(organizer)
    listing = new_listing(body, organizer, ports().new_id, ports().clock())
    ports().events.add(listing)
    return _tagged(listing.event, 201, Location=f"{BASE}/events/{listing.event.id}")


@events.get("/events", summary="List events", responses=answers({200: EventList}, "invalid-input"))
def list_events(query: EventQuery) -> Response:
    """Newest first. Drafts are listed for their organizer and administrators."""
    found = visitor()
    is_administrator = found is not None and found.is_administrator
    chosen = partial(
        ports().events.list,
        organizer=query.organizer_id,
        status=query.status,
        drafts_of=found.account if found else None,
        all_drafts=is_administrator,
    )
    items, following = page(query, chosen)
    return answer(EventList(items=items, next=following))


@events.get("/events/<uuid:eventId>", summary="Read an event", responses=answers({200: Event, 304: None}, "not-found"))
def read_event(path: EventPath) -> Response:
    """A draft is shown to its organizer and to administrators."""
    return _tagged(shown_event(path.event_id))


@events.get(
    "/events/<uuid:eventId>/name",
    summary="Read an event's name",
    responses=answers({200: EventName, 304: None}, "not-found"),
)
def read_event_name(path: EventPath) -> Response:
    """The event's name."""
    event = shown_event(path.event_id)
    return tagged(EventName(id=event.id, name=event.title), event.version)


@events.put("/events/<uuid:eventId>", summary="Replace an event", responses=CHANGED, openapi_extensions=IF_MATCH)
def replace_event(path: EventPath, body: EventBody) -> Response:
    """All but status, organizer and ticket types. A missing field gets its default."""
    return _change(path, partial(changed, fields=body.model_dump(), now=ports().clock()))


@events.patch("/events/<uuid:eventId>", summary="Change an event", responses=CHANGED, openapi_extensions=IF_MATCH)
def change_event(path: EventPath, body: EventChange) -> Response:
    """A missing field stays as it is. A status changes only by the table of transitions."""
    return _change(path, partial(changed, fields=given(body), now=ports().clock()))


@events.put(
    "/events/<uuid:eventId>/status", summary="Change an event's status", responses=CHANGED, openapi_extensions=IF_MATCH
)
def change_status(path: EventPath, body: StatusChange) -> Response:
    """ACTIVE publishes a draft and starts or resumes sales, CANCELED refunds everything that was sold."""
    return _change(path, partial(changed, fields={"status": body.status}, now=ports().clock()))


@events.delete(
    "/events/<uuid:eventId>",
    summary="Delete an event",
    responses=answers({204: None}, "not-found", "precondition-failed", "has-purchases"),
)
def delete_event(path: EventPath) -> Response:
    """With its ticket types, while there are no purchases. An event with purchases is canceled instead."""
    has_purchases = Refused("has-purchases", "an event with purchases is cancelled, not deleted")
    check_match_if_given(managed_event(path.event_id).version)
    # Before the transaction, which has a connection of its own.
    if ports().stock.has_purchases(path.event_id):
        raise has_purchases

    def decide(listing: Listing) -> Listing:
        check_owner(listing.event)
        check_match_if_given(listing.event.version)
        if ports().stock.is_out(path.event_id):  # sold since
            raise has_purchases
        return withdrawn(listing, ports().clock())

    is_deleted = ports().events.delete(path.event_id, decide)
    ports().catalogue.forget(path.event_id)
    if not is_deleted:
        raise not_yours(path.event_id)
    return Response(status=204)


def _change(path: EventPath, decide: Callable[[Listing], Listing]) -> Response:
    def decide_on_version(listing: Listing) -> Listing:
        check_match(listing.event.version)
        return decide(listing)

    return _tagged(change_own(path.event_id, decide_on_version).event)


def _tagged(event: Event, status: int = 200, **headers: str) -> Response:
    return tagged(event, event.version, status, **headers)
