"""A busy sale: purchases, holds that expire, confirms, cancels, many of them repeated and out of order."""

from random import Random
from typing import Any
from uuid import UUID

from tests.chaos.world import World

Json = dict[str, Any]
OUT_OF_ORDER = 12
STOCK = 150
QUANTITIES = (1, 1, 2, 4)
LINES = (1, 1, 2)
LIMITS = (4, 6, 8)
SECONDS: tuple[int, ...] = (1, 2, 600)


class Sale:
    """Writes commands about a few events to a world's log; the same ones for the same seed.

    ``scattered`` ones are put on any partition, as a producer does that has another idea of where a key belongs. With
    ``short`` some holds end within the test.
    """

    def __init__(
        self,
        world: World,
        seed: int = 0,
        *,
        events: int = 4,
        quantity: int = 150,
        scattered: bool = False,
        short: bool = False,
    ) -> None:
        self.world = world
        self.random = Random(seed)
        self.scattered = scattered
        self.seconds = SECONDS if short else SECONDS[-1:]
        self.events = [self.id() for _ in range(events)]
        self.kinds = {event: [self.id(), self.id()] for event in self.events}
        self.accounts = [self.id() for _ in range(30)]
        self.made: list[Json] = []
        self.limit_holds()
        for event in self.events:
            self.define(event)

    def limit_holds(self) -> None:
        """Set other limits than before; some of the holds are beyond them."""
        tickets = LIMITS[len(self.made) % len(LIMITS)]
        for partition in range(self.world.partitions):
            limits = {"maxSeconds": 3_600, "maxTickets": tickets, "cooldownSeconds": 1}
            self.world.send({"kind": "limit-holds", **limits}, partition)

    def id(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def define(self, event: str, version: int = 1, status: str = "ACTIVE") -> None:
        """Put an event on sale, or change it."""
        kinds = [
            {"id": kind, "name": "Floor", "price": "49.90", "currency": "EUR", "quantity": STOCK}
            | ({"maxPerAccount": 40} if number else {})
            for number, kind in enumerate(self.kinds[event])
        ]
        definition = {
            "title": "A Night at the Opera",
            "status": status,
            "startsAt": "2030-01-01T20:00:00+01:00",
            "endsAt": "2030-01-01T23:00:00+01:00",
            "timeZone": "Europe/Rome",
            "ticketTypes": kinds,
        }
        self.send({"kind": "define-event", "event": event, "version": version, "definition": definition})

    def send(self, command: Json) -> None:
        """Append a command to the log."""
        self.world.send(command, self.random.randrange(self.world.partitions) if self.scattered else None)

    def cancel(self, event: str) -> None:
        """Cancel an event; its purchases are ended in small steps."""
        self.define(event, version=2, status="CANCELED")
        self.send({"kind": "end-purchases", "event": event, "version": 2, "most": 20})

    def go_on(self, count: int) -> None:
        """Send so many commands more, and wait until Kafka has them."""
        self.limit_holds()
        commands: list[Json] = []
        for _ in range(count):
            commands.append(self._command())
            if self.random.random() < 0.1:
                commands.append(self.random.choice(commands[-OUT_OF_ORDER:]))
        places = [(place + self.random.randrange(OUT_OF_ORDER), place) for place in range(len(commands))]
        for _, place in sorted(places):
            self.send(commands[place])
        self.world.flush()

    def _command(self) -> Json:
        draw = self.random.random()
        if draw < 0.7 or not self.made:
            return self._purchase()
        old = self.random.choice(self.made[-60:])
        about = {name: old[name] for name in ("event", "purchase", "account")}
        if draw < 0.83:
            return {"kind": "confirm", **about}
        if draw < 0.88:
            return {"kind": "cancel", **about}
        if draw < 0.93:
            part = [{"ticketType": old["lines"][0]["ticketType"], "quantity": 1}]
            return {"kind": "cancel", **about, "request": self.id(), "lines": part}
        if draw < 0.96:
            return {**old, "lines": [{"ticketType": self.kinds[old["event"]][0], "quantity": 9}]}
        ends = {"kind": "expire", "event": old["event"], "purchase": old["purchase"]}
        return ends | ({"early": True} if len(self.made) % 2 else {})

    def _purchase(self) -> Json:
        event = self.random.choice(self.events)
        kinds = self.random.sample(self.kinds[event], self.random.choice(LINES))
        lines = [{"ticketType": kind, "quantity": self.random.choice(QUANTITIES)} for kind in kinds]
        made: Json = {
            "event": event,
            "purchase": self.id(),
            "account": self.random.choice(self.accounts),
            "lines": lines,
        }
        if self.random.random() < 0.4:
            made |= {"kind": "hold", "seconds": self.random.choice(self.seconds)}
        else:
            made |= {"kind": "purchase"}
        self.made.append(made)
        return made
