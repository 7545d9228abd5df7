"""Seating plans of the fake events, with the seats that a test says are taken."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from api.adapters.seat_occupancy import Occupancy, PurchaseSeats
from api.organizing.seating import categories_of, hall_of
from api.ports.events import Listing, PlanInForce
from api.ports.seating import Outline, SeatingNow, StoredPlan
from api.schemas.seating import SeatingSection, Seats
from tests.unit.api.fakes.events import FakeEvents


@dataclass
class FakeSeatings:
    """Plans by event; ``taken`` are seats by event, of one purchase at offset 7."""

    events: FakeEvents
    plans: dict[UUID, StoredPlan] = field(default_factory=dict)
    taken: dict[UUID, set[str]] = field(default_factory=dict)

    def plan(self, event: UUID) -> StoredPlan | None:
        return self.plans.get(event)

    def outline(self, event: UUID) -> Outline | None:
        plan = self.plans.get(event)
        if plan is None:
            return None
        hall = hall_of(plan.sections)
        sections = [SeatingSection(name=each.name, title=each.title or None, seats=each.seats) for each in hall]
        return Outline(plan.version, sections, categories_of(each for each in hall if each.rows))

    def section(self, event: UUID, name: str) -> dict[str, Any] | None:
        plan = self.plans.get(event)
        return next((each for each in plan.sections if each["name"] == name), None) if plan else None

    def change(self, event: UUID, decide: Callable[[SeatingNow], list[dict[str, Any]]]) -> Listing | None:
        if event not in self.events.rows:
            return None
        known = self.plans.get(event)

        def put(listing: Listing) -> Listing:
            now = SeatingNow(listing, known.sections if known else (), frozenset(self.taken.get(event, ())))
            sections = decide(now)
            if not sections:
                self.plans.pop(event, None)
                return replace(listing, plan=None)
            version = listing.event.version + 1
            self.plans[event] = StoredPlan(version, sections)
            return replace(listing, plan=PlanInForce(version, categories_of(hall_of(sections))))

        return self.events.change(event, put)

    def seats(self, event: UUID, since: int) -> Seats | None:
        if event not in self.plans:
            return None
        occupancy = Occupancy(event, self.plans[event])
        occupancy.apply([PurchaseSeats(UUID(int=1), 7, sorted(self.taken.get(event, ())))])
        return occupancy.seats(since)

    async def follow(self, event: UUID, since: int) -> AsyncIterator[bytes]:
        yield b"id: %d\ndata: {}\n\n" % since
