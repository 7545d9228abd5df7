"""The seats of a hall in their simplest form: a list of seats, each with its place, and every choice tried in turn."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from lab.chaos.reference_rules import Json, Refusal

WHEELCHAIR, COMPANION, AISLE_BEFORE = 1, 2, 8
ORDER_MAX_SEATS: Final = 500
NAMED_MAX_SEATS: Final = 20


@dataclass(frozen=True)
class ModelSeat:
    """A seat: seats of one row whose ``place`` differs by one are adjacent."""

    name: str
    section: str
    row: int
    place: int
    category: str
    distance: int
    wheelchair: bool
    reserved: bool

    @property
    def order(self) -> tuple[int, int, int]:
        """What makes it better than another one of its section."""
        return self.distance, self.row, self.place


class ModelHall:
    """The hall of a plan, by its pieces; ``taken`` names the seats that are out, ``held`` those only held."""

    def __init__(self, pieces: Iterable[Json], taken: set[str], held: Collection[str] = ()) -> None:
        self.taken = set(taken)
        self.held = held
        ordered = sorted(pieces, key=lambda piece: (piece["number"], piece.get("part", 0)))
        self.sections = list(dict.fromkeys(piece["section"] for piece in ordered if piece.get("rows")))
        self.seats: dict[str, ModelSeat] = {}
        rows = Counter[str]()
        for piece in ordered:
            for row in piece.get("rows", ()):
                self._add_row(piece, rows[piece["section"]], row)
                rows[piece["section"]] += 1
        self.categories = {piece["section"]: piece["categories"] for piece in ordered if piece.get("rows")}
        self.seated = {key for keys in self.categories.values() for key in keys}

    def _add_row(self, piece: Json, number: int, row: list[Any]) -> None:
        label, seats = row
        focal = piece.get("focal", (0, 0))
        place = 0
        for seat, category, x, y, flags in seats:
            place += 2 if flags & AISLE_BEFORE else 1
            name = f"{piece['section']}-{label}-{seat}"
            distance = (x - focal[0]) ** 2 + (y - focal[1]) ** 2
            reserved = bool(flags & (WHEELCHAIR | COMPANION))
            category_id = piece["categories"][category]
            wheelchair = bool(flags & WHEELCHAIR)
            self.seats[name] = ModelSeat(
                name, piece["section"], number, place, category_id, distance, wheelchair, reserved
            )

    def best(self, category: str, count: int, best: Json) -> list[ModelSeat]:
        """The best seats; empty if there are none."""
        accessible, together = best.get("accessible", False), best.get("together", True)
        sections = [name for name in self.sections if best.get("section") in (None, name)]
        for orphans in (False, True):
            for section in sections:
                if run := self._best_run(section, category, count, accessible=accessible, orphans=orphans):
                    return run
        return [] if together or accessible else self._groups(sections, category, count)

    def offered(self, section: str, category: str, *, accessible: bool) -> list[ModelSeat]:
        """The free seats of a section from which the best are chosen."""
        return [
            seat
            for seat in self.seats.values()
            if seat.section == section
            and seat.category == category
            and seat.reserved is accessible
            and seat.name not in self.taken
        ]

    def longest(self, sections: Iterable[str], category: str, count: int, *, accessible: bool) -> int:
        """The largest number of seats below ``count`` that one can get together."""
        return max(
            (
                size
                for section in sections
                for size in range(1, count)
                if self._best_run(section, category, size, accessible=accessible, orphans=True)
            ),
            default=0,
        )

    def nearest(self, lost: list[str], category: str) -> list[str]:
        """The seats offered instead of lost ones: in each section as many, near the first one there."""
        sections = dict.fromkeys(self.seats[name].section for name in lost)
        by_section = [[name for name in lost if self.seats[name].section == section] for section in sections]
        return [seat for names in by_section for seat in self._nearest(names[0], category, len(names))]

    def _nearest(self, name: str, category: str, count: int) -> list[str]:
        """Those of its row, then the best of its section."""
        wanted = self.seats[name]
        offered = self.offered(wanted.section, category, accessible=False)
        row = [seat for seat in offered if seat.row == wanted.row]
        row.sort(key=lambda seat: (abs(seat.place - wanted.place), seat.place))
        others = sorted((seat for seat in offered if seat.row != wanted.row), key=lambda seat: seat.order)
        return [seat.name for seat in (row + others)[:count]]

    def _best_run(self, section: str, category: str, count: int, *, accessible: bool, orphans: bool) -> list[ModelSeat]:
        runs = [
            run
            for run in self._runs(self.offered(section, category, accessible=accessible), count)
            if (not accessible or any(seat.wheelchair for seat in run)) and (orphans or not self._leaves_orphan(run))
        ]
        return min(runs, key=lambda run: run[(count - 1) // 2].order, default=[])

    @staticmethod
    def _runs(seats: list[ModelSeat], count: int) -> Iterator[list[ModelSeat]]:
        places = {(seat.row, seat.place): seat for seat in seats}
        for seat in seats:
            run = [places.get((seat.row, seat.place + step)) for step in range(count)]
            if all(run):
                yield [each for each in run if each]

    def _leaves_orphan(self, run: list[ModelSeat]) -> bool:
        free = {(seat.section, seat.row, seat.place) for seat in self.seats.values() if seat.name not in self.taken}
        section, row, first, last = run[0].section, run[0].row, run[0].place, run[-1].place
        left, right = (section, row, first - 1) in free, (section, row, last + 1) in free
        return (left and (section, row, first - 2) not in free) or (right and (section, row, last + 2) not in free)

    def _groups(self, sections: list[str], category: str, count: int) -> list[ModelSeat]:
        sizes = {name: len(self.offered(name, category, accessible=False)) for name in sections}
        if sum(sizes.values()) < count:
            return []
        enough = [name for name in sections if sizes[name] >= count]
        found: list[ModelSeat] = []
        before = set(self.taken)
        for section in enough[:1] or sections:
            while len(found) < count and self.offered(section, category, accessible=False):
                group = self._longest_group(section, category, count - len(found))
                self.taken |= {seat.name for seat in group}
                found += group
        self.taken = before
        return found

    def _longest_group(self, section: str, category: str, most: int) -> list[ModelSeat]:
        for size in range(most, 0, -1):
            for orphans in (False, True):
                if run := self._best_run(section, category, size, accessible=False, orphans=orphans):
                    return run
        return []


class ModelPlans:
    """The plans of all events, by their pieces; of two alike the first one counts."""

    def __init__(self) -> None:
        self._pieces: dict[tuple[str, int], dict[tuple[str, int], Json]] = {}

    def define(self, body: Json) -> None:
        """Keep a piece."""
        pieces = self._pieces.setdefault((body["event"], body["plan"]), {})
        pieces.setdefault((body["section"], body.get("part", 0)), body)

    def hall(self, event: str, plan: int, taken: set[str], held: Collection[str]) -> ModelHall | None:
        """The hall by a plan, with the seats that are out; None if the plan lacks pieces or some disagree."""
        pieces = self._pieces.get((event, plan), {})
        sections = {section: piece for (section, _), piece in pieces.items()}
        counts = Counter(section for section, _ in pieces)
        heads = ("sections", "number", "categories", "parts")
        alike = all(piece.get(name) == sections[key].get(name) for (key, _), piece in pieces.items() for name in heads)
        whole = alike and all(counts[section] == piece.get("parts", 1) for section, piece in sections.items())
        if not sections or not whole or len(sections) < next(iter(sections.values()))["sections"]:
            return None
        return ModelHall(pieces.values(), taken, held)


class SeatsRefused(Exception):
    """The seats that were asked for can't be had."""

    def __init__(self, reason: str, **figures: Any) -> None:
        self.refusal: Refusal = (reason, figures)


NO_HALL: Final = ModelHall((), set())


def seats_for(
    plan: int | None, hall: ModelHall | None, lines: Iterable[Json]
) -> tuple[Refusal | None, dict[str, list[str]]]:
    """Why an order is refused because of seats, or the names of the seats that it gets, by ticket type.

    ``hall`` is None without a plan, and if the plan lacks pieces.
    """
    if plan is not None and hall is None:
        return ("event-not-open", {"plan": plan}), {}
    try:
        return None, chosen_seats(hall or NO_HALL, lines)
    except SeatsRefused as refused:
        return refused.refusal, {}


def exchanged(hall: ModelHall, names: list[str], given: list[str]) -> list[tuple[str, str]]:
    """The ticket types and names of the seats that an exchange takes for seats of the types ``given``."""
    if len(set(names)) < len(names):
        raise SeatsRefused("invalid-seats")
    for name in names:
        if name not in hall.seats:
            raise SeatsRefused("unknown-seat", seats=[name])
    kinds = [hall.seats[name].category for name in names]
    taken = []
    for kind in dict.fromkeys(kinds):
        mine = [name for name in names if hall.seats[name].category == kind]
        taken += [(kind, name) for name in take_named(hall, kind, mine)]
    if Counter(kinds) != Counter(given):
        raise SeatsRefused("unequal-exchange", give=len(given), take=len(names))
    return taken


def chosen_seats(hall: ModelHall, lines: Iterable[Json]) -> dict[str, list[str]]:
    """The names of the seats that an order gets, by ticket type."""
    seated = [line for line in lines if _checked(hall, line)]
    keys = [line["ticketType"] for line in seated]
    if len(set(keys)) < len(keys):
        raise SeatsRefused("invalid-seats", ticketType=keys[-1])
    total = sum(line["quantity"] for line in seated)
    if total > ORDER_MAX_SEATS:
        raise SeatsRefused("order-limit-exceeded", limit=ORDER_MAX_SEATS, requested=total)
    chosen: dict[str, list[str]] = {key: [] for key in keys}
    for line in seated:
        if line.get("seats"):
            chosen[line["ticketType"]] = take_named(hall, line["ticketType"], line["seats"])
    for line in seated:
        if not line.get("seats"):
            chosen[line["ticketType"]] = _take_best(hall, line)
    return chosen


def _checked(hall: ModelHall, line: Json) -> bool:
    key, seats, best = line["ticketType"], line.get("seats"), line.get("best")
    if key not in hall.seated:
        if seats or best is not None:
            raise SeatsRefused("not-seated", ticketType=key)
        return False
    if not seats and best is None:
        raise SeatsRefused("seats-required", ticketType=key)
    if seats and (best is not None or len(set(seats)) != len(seats) or len(seats) != line["quantity"]):
        raise SeatsRefused("invalid-seats", ticketType=key)
    return True


def take_named(hall: ModelHall, category: str, names: list[str]) -> list[str]:
    """Take seats by name."""
    unknown = [name for name in names if name not in hall.seats or hall.seats[name].category != category]
    taken = [name for name in names if name in hall.taken and name not in unknown][:NAMED_MAX_SEATS]
    hall.taken |= set(names) - set(unknown)
    if unknown:
        raise SeatsRefused("unknown-seat", seats=unknown[:NAMED_MAX_SEATS])
    if taken:
        raise SeatsRefused("seat-taken", seats=taken, nearest=hall.nearest(taken, category))
    return names


def _take_best(hall: ModelHall, line: Json) -> list[str]:
    key, count, best = line["ticketType"], line["quantity"], line["best"]
    accessible = best.get("accessible", False)
    asked = best.get("section")
    sections = [name for name in hall.sections if asked in (None, name) and key in hall.categories[name]]
    if best.get("section") is not None and not sections:
        raise SeatsRefused("unknown-seat", section=best["section"])
    found = hall.best(key, count, best)
    hall.taken |= {seat.name for seat in found}
    if found:
        return [seat.name for seat in found]
    places = [
        seat
        for seat in hall.seats.values()
        if seat.section in sections and seat.category == key and seat.reserved is accessible
    ]
    available = sum(seat.name not in hall.taken for seat in places)
    figures: Json = {"requested": count, "ticketType": key}
    if available < count:
        held_seats = sum(seat.name in hall.held for seat in places)
        raise SeatsRefused("sold-out", **figures, limit=len(places), held=held_seats, available=available)
    raise SeatsRefused(
        "no-adjacent-seats", **figures, longest=hall.longest(sections, key, count, accessible=accessible)
    )
