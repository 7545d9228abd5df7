"""Events: what takes place, where and when."""

from functools import partial

from flask import Response

from api.answers import BASE, WITH_BODY, answer, answers, blueprint, ports
from api.bodies.event import Event, EventChange, EventName, EventPath, NewEvent
from api.changes import changed, new_listing
from api.problems import Refused

events = blueprint("events", "events")


@events.post(
    "/events",
    summary="Create an event",
    responses=answers({201: Event}, *WITH_BODY, "unknown-account", "already-exists"),
)
def create_event(body: NewEvent) -> Response:
    """A DRAFT unless the request says ACTIVE. Ids are made here unless the request brings them."""
    listing = new_listing(body, ports().new_id, ports().clock())
    ports().events.add(listing)
    return answer(listing.event, 201, {"Location": f"{BASE}/events/{listing.event.id}"})


@events.get(
    "/events/<uuid:eventId>",
    summary="Read an event",
    responses=answers({200: Event}, "not-found"),
)
def read_event(path: EventPath) -> Response:
    """The event as it is now, drafts too."""
    event = ports().events.get(path.event_id)
    if event is None:
        raise no_event(path)
    return answer(event)


@events.get(
    "/events/<uuid:eventId>/name",
    summary="Read an event's name",
    responses=answers({200: EventName}, "not-found"),
)
def read_event_name(path: EventPath) -> Response:
    """What the event is called."""
    name = ports().events.name(path.event_id)
    if name is None:
        raise no_event(path)
    return answer(EventName(id=path.event_id, name=name))


@events.patch(
    "/events/<uuid:eventId>",
    summary="Change an event",
    responses=answers({200: Event}, *WITH_BODY, "not-found", "transition-refused"),
)
def change_event(path: EventPath, body: EventChange) -> Response:
    """What is left out stays as it is. A status changes along the table of transitions only."""
    listing = ports().events.change(path.event_id, partial(changed, change=body, now=ports().clock()))
    if listing is None:
        raise no_event(path)
    return answer(listing.event)


def no_event(path: EventPath) -> Refused:
    """The refusal for an id that no event has."""
    return Refused("not-found", f"there is no event {path.event_id}")
