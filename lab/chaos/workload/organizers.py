"""The requests of organizers: events that are made, and their titles, places, quantities and statuses that change."""

from typing import Any, Final

from lab.chaos.workload.catalogue import WORD, Show
from lab.chaos.workload.halls import WITHOUT_FRONT
from lab.chaos.workload.timeline import Timeline

Json = dict[str, Any]

UNCHANGED_FOR_S: Final = 8
POSTPONED_FOR_S: Final = 5
PLAN_AFTER_S: Final = 0.3
WITHOUT_FRONT_AT_S: Final = 12.0
QUANTITY_CHANGES: Final = (-20, 10, 30, 60)
# At least so many events stay on sale.
KEPT_ON_SALE: Final = 4
PLAN_CHANGE_SHARE: Final = 0.5


class Organizers:
    """Makes and changes events. It remembers what it has set."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._rng = timeline.rng
        self._status = {show.id: "ACTIVE" for show in timeline.catalogue.shows}
        self._quantities = {show.id: dict(show.quantities) for show in timeline.catalogue.shows}

    def make_events(self) -> None:
        """Add the events that are made during the run, their plans, and plans that lack what is sold first."""
        for show in [*self._timeline.catalogue.shows, *self._timeline.catalogue.drafts]:
            if show.at:
                self._ask(show.at, "make-event", show, "POST", "/events", show.body)
                if show.hall:
                    self._put_plan(show.at + PLAN_AFTER_S, show, show.hall.plans[0])
            elif show.hall:
                self._put_plan(WITHOUT_FRONT_AT_S, show, show.hall.plans[WITHOUT_FRONT])

    def change(self, at: float) -> None:
        """Add a change of any sort."""
        shows = [it for it in self._timeline.catalogue.shows if it.at + UNCHANGED_FOR_S < at and self._is_open(it)]
        if not shows:
            return
        show, draw = self._rng.choice(shows), self._rng.random()
        if show.hall and self._rng.random() < PLAN_CHANGE_SHARE:
            self._put_plan(at, show, self._rng.choice(show.hall.plans))
        elif draw < 0.25:
            self._ask(at, "change", show, "PATCH", f"/events/{show.id}", {"title": f"{WORD} {at:.2f}"})
        elif draw < 0.45:
            self._ask(at, "change", show, "PATCH", f"/events/{show.id}", {"venue": f"Hall {at:.2f}"})
        elif draw < 0.75:
            self._change_quantity(at, show)
        elif draw < 0.9:
            self._publish(at, show, "POSTPONED" if self._status[show.id] == "ACTIVE" else "ACTIVE")
            self._publish(at + POSTPONED_FOR_S, show, "ACTIVE")
        elif len(shows) > KEPT_ON_SALE:
            self._publish(at, show, "CANCELED")

    def _is_open(self, show: Show) -> bool:
        return self._status[show.id] != "CANCELED"

    def _change_quantity(self, at: float, show: Show) -> None:
        ticket_type = self._rng.choice(list(show.quantities))
        quantity = max(1, self._quantities[show.id][ticket_type] + self._rng.choice(QUANTITY_CHANGES))
        self._quantities[show.id][ticket_type] = quantity
        self._ask(at, "change", show, "PATCH", f"/tickets/{ticket_type}", {"quantity": quantity})

    def _put_plan(self, at: float, show: Show, plan: Json) -> None:
        self._ask(at, "plan", show, "PUT", f"/events/{show.id}/seating", plan)

    def _publish(self, at: float, show: Show, status: str) -> None:
        self._status[show.id] = status
        self._ask(at, "status", show, "PUT", f"/events/{show.id}/status", {"status": status})

    def _ask(self, at: float, name: str, show: Show, method: str, path: str, body: Json) -> None:
        more = {"who": show.organizer, "roles": ("organizer",)}
        self._timeline.add(at, "ask", name, method=method, path=path, body=body, **more)
