"""The checker's own map of all halls: who has which seat, from the outcomes alone, and where a plan has it."""

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

Json = dict[str, Any]

AISLE_BEFORE: Final = 8
TAKING: Final = ("held", "confirmed")
GIVING: Final = ("cancelled", "expired", "refunded")


class Holder(NamedTuple):
    """The purchase that has a seat, and whether it is sold, or else held."""

    purchase: str
    sold: bool


class SeatMap:
    """The seats of every purchase, after its last outcome and after each one before.

    ``holders`` are by event and seat. ``seats`` has the states of each event's purchase, the last one at the end;
    ``double`` says which seats ever had two holders. ``since`` has the time (ms) at which a seat was first taken.
    """

    def __init__(self, outcomes: Iterable[tuple[int, int, Json]]) -> None:
        """``outcomes`` come with their partition and the time (ms) at which they were written."""
        self.holders: dict[tuple[str, str], Holder] = {}
        self.seats: dict[tuple[str, str], list[frozenset[str]]] = defaultdict(list)
        self.since: dict[tuple[str, str], int] = {}
        self.double: list[str] = []
        told: dict[tuple[Any, ...], tuple[int, Json]] = {}
        for partition, at, body in outcomes:
            if body["kind"] in TAKING + GIVING:
                told.setdefault((body["offset"], partition, body["event"], body["purchase"]), (at, body))
        for _, (at, body) in sorted(told.items()):
            self._apply(at, body)

    def seats_of(self, event: str, purchase: str) -> frozenset[str]:
        """The seats that a purchase has in the end."""
        states = self.seats.get((event, purchase))
        return states[-1] if states else frozenset()

    def of_event(self, event: str) -> dict[str, Holder]:
        """The seats of an event that are out in the end, with their holders."""
        return {seat: holder for (of, seat), holder in self.holders.items() if of == event}

    def _apply(self, at: int, body: Json) -> None:
        event, purchase = body["event"], body["purchase"]
        named, had = seats_in(body), self.seats_of(event, purchase)
        has = named if body["kind"] in TAKING else had - named
        if had or has:
            self.seats[event, purchase].append(has)
        for seat in had - has:
            if self.holders.get((event, seat), Holder("", sold=False)).purchase == purchase:
                del self.holders[event, seat]
        for seat in sorted(has):
            holder = self.holders.get((event, seat))
            if holder is not None and holder.purchase != purchase:
                text = f"seat {seat} of event {event} has two holders, purchases {holder.purchase} and {purchase}"
                self.double.append(f"{text} since offset {body['offset']}")
            self.holders[event, seat] = Holder(purchase, body["status"] == "confirmed")
            self.since.setdefault((event, seat), at)


class Plans:
    """The plans in the log, by their pieces; of two alike the first one counts."""

    def __init__(self, commands: Iterable[Json]) -> None:
        self._pieces: dict[tuple[str, int], dict[tuple[int, str, int], Json]] = defaultdict(dict)
        for body in commands:
            if body["kind"] == "define-section":
                place = body["number"], body["section"], body.get("part", 0)
                self._pieces[body["event"], body["plan"]].setdefault(place, body)

    def numbers(self, event: str) -> list[int]:
        """The numbers of an event's plans."""
        return sorted(plan for of, plan in self._pieces if of == event)

    def seats(self, event: str, plan: int) -> dict[str, Json]:
        """What a plan says of each seat, in its order: section, category, place (x, y), and the bit in its section."""
        found: dict[str, Json] = {}
        bits: dict[str, int] = defaultdict(int)
        for _, piece in sorted(self._pieces.get((event, plan), {}).items()):
            section = piece["section"]
            for label, seats in piece.get("rows", ()):
                for number, (seat, category, x, y, flags) in enumerate(seats):
                    bits[section] += bool(number and flags & AISLE_BEFORE)
                    kind = piece["categories"][category]
                    known = {"section": section, "category": kind, "x": x, "y": y, "bit": bits[section]}
                    found[f"{section}-{label}-{seat}"] = known
                    bits[section] += 1
                bits[section] += 1
        return found

    def named(self, event: str, plan: int, section: str, bits: int) -> Iterator[str]:
        """The names of a section's seats whose bits are set; a bit of no seat has a name of its own."""
        names = {each["bit"]: name for name, each in self.seats(event, plan).items() if each["section"] == section}
        for bit in range(bits.bit_length()):
            if bits >> bit & 1:
                yield names.get(bit, f"{section}: bit {bit}, where plan {plan} has no seat")


def seats_in(body: Json) -> frozenset[str]:
    """The seats that the lines of an outcome, an answer or a row name."""
    return frozenset(seat for line in body.get("lines") or () for seat in line.get("seats") or ())


def bits_of(text: str) -> int:
    """A bitmap in base64."""
    return int.from_bytes(base64.b64decode(text), "little")
