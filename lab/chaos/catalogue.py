"""What is on sale in a chaos run and who takes part: ids and figures, made from a seed alone."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

Json = dict[str, Any]

BUYERS: Final = 60
ORGANIZERS: Final = 3
LOCALES: Final = ("en", "de-AT", "fr", "es")
STARTS: Final = datetime(2031, 5, 17, 18, 0, tzinfo=UTC)
SHARE_BEFORE: Final = 0.5
DRAFTS: Final = 4
QUANTITIES: Final = (30, 60, 120, 250)
LIMITS: Final = (None, None, 12)
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
    """An event: when it is made (seconds of the run, 0 before it), and its ticket types by id with their quantities.

    ``hidden`` ones are drafts that nobody publishes.
    """

    id: str
    at: float
    organizer: str
    body: Json
    quantities: dict[str, int] = field(default_factory=dict)
    hidden: bool = False


class Catalogue:
    """People and events of a seed."""

    def __init__(self, seed: int, seconds: float) -> None:
        self._dice = random.Random(f"catalogue {seed}")
        self.organizers = [self._person("Organizer", number) for number in range(ORGANIZERS)]
        self.buyers = [self._person("Buyer", number) for number in range(BUYERS)]
        shows = max(6, round(seconds / 25))
        before = round(shows * SHARE_BEFORE)
        times = [0.0] * before + sorted(self._dice.uniform(3, seconds * 0.8) for _ in range(shows - before))
        self.shows = [self._show(number, at, hidden=False) for number, at in enumerate(times)]
        self.drafts = [
            self._show(number, self._dice.uniform(0, seconds * 0.7), hidden=True) for number in range(DRAFTS)
        ]

    def uuid(self) -> str:
        """The next id."""
        return str(UUID(int=self._dice.getrandbits(128), version=4))

    def _person(self, what: str, number: int) -> Person:
        identity = self.uuid()
        email = f"{identity}@chaos.example"
        name = {"firstName": what, "lastName": f"Number {number}"}
        return Person(identity, email, {"id": identity, "email": email, "locale": self._dice.choice(LOCALES), **name})

    def _show(self, number: int, at: float, *, hidden: bool) -> Show:
        identity, organizer = self.uuid(), self._dice.choice(self.organizers).id
        quantities = {self.uuid(): self._dice.choice(QUANTITIES) for _ in range(self._dice.choice((1, 2, 3)))}
        starts = STARTS + timedelta(days=number)
        body = {
            "id": identity,
            "organizerId": organizer,
            "title": f"{HIDDEN if hidden else WORD} {number} {identity[:8]}",
            "venue": "Gasworks",
            "city": self._dice.choice(("Graz", "Wien", "Linz")),
            "startsAt": starts.isoformat(),
            "endsAt": (starts + timedelta(hours=2)).isoformat(),
            "timeZone": "Europe/Vienna",
            "status": "DRAFT" if hidden else "ACTIVE",
            "ticketTypes": [self._type(place, *kind) for place, kind in enumerate(quantities.items())],
        }
        return Show(identity, at, organizer, body, quantities, hidden)

    def _type(self, place: int, identity: str, quantity: int) -> Json:
        limit = self._dice.choice(LIMITS)
        price = {"amount": f"{self._dice.randint(10, 90)}.50", "currency": "EUR"}
        made = {"id": identity, "name": f"Block {place}", "price": price, "quantity": quantity, "position": place}
        return made if limit is None else made | {"maxPerAccount": limit}
