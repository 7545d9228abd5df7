"""Events: what takes place, where and when."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from flask import Response

from api.answers import BASE, WITH_BODY, answer, answers, blueprint, ports
from api.bodies.event import Event, EventChange, EventName, EventPath, NewEvent
from api.changes import changed, new_listing
from api.identity import caller, forbidden, require_to_act_for, visitor
from api.ports import Listing
from api.problems import Refused
from tables.statuses import EventStatus

events = blueprint("events", "events")


@events.post(
    "/events",
    summary="Create an event",
    responses=answers({201: Event}, *WITH_BODY, "unknown-account", "already-exists"),
)
def create_event(body: NewEvent) -> Response:
    """A DRAFT unless the request says ACTIVE. Ids are made here unless the request brings them.

    The organizer is the caller; an administrator may name another.
    """
    organizer = body.organizer_id or caller().account
    require_to_act_for(organizer)
    listing = new_listing(body, organizer, ports().new_id, ports().clock())
    ports().events.add(listing)
    return answer(listing.event, 201, {"Location": f"{BASE}/events/{listing.event.id}"})


@events.get(
    "/events/<uuid:eventId>",
    summary="Read an event",
    responses=answers({200: Event}, "not-found"),
)
def read_event(path: EventPath) -> Response:
    """The event as it is now. A draft is shown to its organizer and to administrators."""
    return answer(shown_event(path.event_id))


@events.get(
    "/events/<uuid:eventId>/name",
    summary="Read an event's name",
    responses=answers({200: EventName}, "not-found"),
)
def read_event_name(path: EventPath) -> Response:
    """What the event is called."""
    return answer(EventName(id=path.event_id, name=shown_event(path.event_id).title))


@events.patch(
    "/events/<uuid:eventId>",
    summary="Change an event",
    responses=answers({200: Event}, *WITH_BODY, "not-found", "transition-refused"),
)
def change_event(path: EventPath, body: EventChange) -> Response:
    """What is left out stays as it is. A status changes along the table of transitions only."""
    listing = change_own(path.event_id, partial(changed, change=body, now=ports().clock()))
    return answer(listing.event)


def change_own(event_id: UUID, decide: Callable[[Listing], Listing]) -> Listing:
    """The listing after a change that the caller may make. Refused: not-found, forbidden, what ``decide`` refuses."""

    def decide_for_owner(listing: Listing) -> Listing:
        if not may_see(listing.event):
            raise no_event(event_id)
        if not caller().may_act_for(listing.event.organizer_id):
            raise forbidden()
        return decide(listing)

    after = ports().events.change(event_id, decide_for_owner)
    if after is None:
        raise no_event(event_id)
    return after


def shown_event(event_id: UUID) -> Event:
    """The event, if the caller may see it. Refused: not-found."""
    event = ports().events.get(event_id)
    if event is None or not may_see(event):
        raise no_event(event_id)
    return event


def may_see(event: Event) -> bool:
    """Whether the event is public, or the caller's own."""
    if event.status is not EventStatus.DRAFT:
        return True
    found = visitor()
    return found is not None and found.may_act_for(event.organizer_id)


def no_event(event_id: UUID) -> Refused:
    """The refusal for an id that no event has, or none that the caller may see."""
    return Refused("not-found", f"there is no event {event_id}")
