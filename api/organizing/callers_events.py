"""The event of a request, as far as the caller may see, manage or change it."""

from collections.abc import Callable
from uuid import UUID

from api.ports.events import Listing
from api.ports.ports import ports
from api.problems import Refused
from api.schemas.event import Event
from api.web.authentication import caller, visitor
from tables.messages.statuses import EventStatus


def change_own(event_id: UUID, decide: Callable[[Listing], Listing]) -> Listing:
    """The listing after a change that the caller may make. Refused: not-found, what ``decide`` refuses."""
    managed_event(event_id)

    def decide_for_owner(listing: Listing) -> Listing:
        check_owner(listing.event)
        after = decide(listing)
        if after.event.payment is not listing.event.payment and ports().stock.is_out(event_id):
            raise Refused("payment-mode-fixed")
        return after

    after = ports().events.change(event_id, decide_for_owner)
    ports().catalogue.forget(event_id)
    if after is None:
        raise not_yours(event_id)
    return after


def managed_event(event_id: UUID) -> Event:
    """The event, if the caller may manage it. Refused: not-found, also for somebody else's."""
    event = ports().events.get(event_id)
    if event is None:
        raise not_yours(event_id)
    check_owner(event)
    return event


def check_owner(event: Event) -> None:
    """Refused: not-found for an event of somebody else."""
    if not caller().may_act_for(event.organizer_id):
        raise not_yours(event.id)


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


def not_yours(event_id: UUID) -> Refused:
    """The refusal for an event that is not the caller's. It doesn't tell whether the event exists."""
    return Refused("not-found", f"you have no event {event_id}")


def no_event(event_id: UUID) -> Refused:
    """The refusal for an event that does not exist or that the caller may not see."""
    return Refused("not-found", f"there is no event {event_id}")
