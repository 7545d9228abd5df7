"""The events on sale in a chaos run and its accounts, made from a seed alone."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from lab.chaos.workload.halls import Hall, hall_of

Json = dict[str, Any]

BUYERS: Final = 60
ORGANIZERS: Final = 3
LOCALES: Final = ("en", "de-AT", "fr", "es")
STARTS: Final = datetime(2031, 5, 17, 18, 0, tzinfo=UTC)
# The share of events that are there before the run.
EARLY_SHARE: Final = 0.5
DRAFTS: Final = 4
QUANTITIES: Final = (30, 60, 120, 250)
TICKETS_PER_ACCOUNT_MAX: Final = (None, None, 12)
# One event in so many must be paid online.
ONLINE_EVERY: Final = 3
# One event in so many has a hall.
HALL_EVERY: Final = 2
HALL_TICKET_TYPES: Final = 3
# The first words of titles: of events on sale, and of drafts.
WORD: Final = "Tempest"
HIDDEN: Final = "Unannounced"


@dataclass(frozen=True, slots=True)
class Person:
    """An account of the run."""

    id: str
    email: str
    body: Json


@dataclass(slots=True)
class Show:
    """An event. ``at`` is when it is made (seconds of the run, 0: before it); ``quantities`` are by ticket type.

    A ``hidden`` one is a draft that is never published. Some tickets of one with a ``hall`` are sold by seat.
    """

    id: str
    at: float
    organizer: str
    body: Json
    quantities: dict[str, int] = field(default_factory=dict)
    hidden: bool = False
    hall: Hall | None = None

    @property
    def is_online(self) -> bool:
        """Whether its tickets must be paid online."""
        return self.body.get("payment") == "online"


class Catalogue:
    """The accounts and events of a seed."""

    def __init__(self, seed: int, seconds: float) -> None:
        self._rng = random.Random(f"catalogue {seed}")
        self.organizers = [self._person("Organizer", number) for number in range(ORGANIZERS)]
        self.buyers = [self._person("Buyer", number) for number in range(BUYERS)]
        shows = max(6, round(seconds / 25))
        before = round(shows * EARLY_SHARE)
        times = [0.0] * before + sorted(self._rng.uniform(3, seconds * 0.8) for _ in range(shows - before))
        self.shows = [self._show(number, at, hidden=False) for number, at in enumerate(times)]
        self.drafts = [self._show(number, self._rng.uniform(0, seconds * 0.7), hidden=True) for number in range(DRAFTS)]
        self.halls = {show.id: show.hall for show in self.shows if show.hall}

    def uuid(self) -> str:
        """The next id."""
        return str(UUID(int=self._rng.getrandbits(128), version=4))

    def _person(self, what: str, number: int) -> Person:
        identity = self.uuid()
        email = f"{identity}@chaos.example"
        name = {"firstName": what, "lastName": f"Number {number}"}
        return Person(identity, email, {"id": identity, "email": email, "locale": self._rng.choice(LOCALES), **name})

    def _show(self, number: int, at: float, *, hidden: bool) -> Show:
        has_hall = not hidden and number % HALL_EVERY == 0
        identity, organizer = self.uuid(), self._rng.choice(self.organizers).id
        kinds = HALL_TICKET_TYPES if has_hall else self._rng.choice((1, 2, 3))
        quantities = {self.uuid(): self._rng.choice(QUANTITIES) for _ in range(kinds)}
        starts = STARTS + timedelta(days=number)
        body = {
            "id": identity,
            "organizerId": organizer,
            "title": f"{HIDDEN if hidden else WORD} {number} {identity[:8]}",
            "venue": "Gasworks",
            "city": self._rng.choice(("Graz", "Wien", "Linz")),
            "startsAt": starts.isoformat(),
            "endsAt": (starts + timedelta(hours=2)).isoformat(),
            "timeZone": "Europe/Vienna",
            "status": "DRAFT" if hidden else "ACTIVE",
            "ticketTypes": [self._type(place, *kind) for place, kind in enumerate(quantities.items())],
        }
        if number % ONLINE_EVERY == 1:
            body["payment"] = "online"
        hall = hall_of(list(quantities)) if has_hall else None
        return Show(identity, at, organizer, body, quantities, hidden, hall)

    def _type(self, place: int, identity: str, quantity: int) -> Json:
        limit = self._rng.choice(TICKETS_PER_ACCOUNT_MAX)
        price = {"amount": f"{self._rng.randint(10, 90)}.50", "currency": "EUR"}
        made = {"id": identity, "name": f"Block {place}", "price": price, "quantity": quantity, "position": place}
        return made if limit is None else made | {"maxPerAccount": limit}
