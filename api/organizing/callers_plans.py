"""The seating plan of an event that the caller may manage: put, or copied from another event of theirs."""

from collections.abc import Callable
from uuid import UUID

from api.organizing.callers_events import check_owner, managed_event, not_yours
from api.organizing.seating import PlanRefused, Section, check_plan, check_taken, with_categories
from api.ports.events import Listing
from api.ports.ports import ports
from api.ports.seating import SeatingNow
from api.problems import Refused
from tables.seating.plan_faults import PlanFault

# The plan that is put instead of the present one.
Decide = Callable[[SeatingNow], list[Section]]


def copy_of(source: UUID) -> Decide:
    """Copies the plan of another event of the caller's. Refused: not-found, invalid-input."""
    managed_event(source)
    plan, types = ports().seating.plan(source), ports().events.tickets(source)
    if plan is None or types is None:
        raise PlanRefused("/copyFrom", PlanFault.NO_PLAN)
    names = {str(ticket.id): ticket.name for ticket in types}
    return lambda now: with_categories(
        list(plan.sections), names, {each.name: str(each.id) for each in now.listing.tickets}
    )


def no_plan(event: UUID) -> Refused:
    """The refusal for an event without a plan."""
    return Refused("not-found", f"the event {event} has no seating plan")


def put_plan(event: UUID, decide: Decide) -> tuple[Listing, list[Section]]:
    """Put a plan that the caller may put. Refused: not-found, what is wrong with the plan, seats-taken, ``decide``."""
    managed_event(event)
    put: list[Section] = []

    def decide_for_owner(now: SeatingNow) -> list[Section]:
        check_owner(now.listing.event)
        sections = decide(now)
        check_plan(sections, now.listing)
        check_taken(now.sections, sections, now.taken)
        put.extend(sections)
        return sections

    after = ports().seating.change(event, decide_for_owner)
    ports().catalogue.forget(event)
    if after is None:
        raise not_yours(event)
    return after, put
