"""Seating plans of events: checks before a plan is put, and its form for the ledger.

A plan is a list of sections as their JSON (api/schemas/seating.SectionOnPlan), without what is as by default.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from api.ports.events import Listing
from api.problems import Fault, Refused
from api.schemas.seating import NewSeating
from tables.messages.sections import PlanRow, PlanSeat, SeatFlags
from tables.seating.plan import HallSection, check_hall
from tables.seating.plan_faults import InvalidPlan, PlanFault

TAKEN_MAX_NAMED: Final = 20
_KINDS: Final = {"standard": 0, "wheelchair": SeatFlags.WHEELCHAIR, "companion": SeatFlags.COMPANION}

Section = dict[str, Any]
Seat = dict[str, Any]


class PlanRefused(Refused):
    """The refusal of a plan or a drawing: what is wrong, and the names and numbers for the sentence about it."""

    def __init__(self, pointer: str, fault: StrEnum, **figures: Any) -> None:
        super().__init__("invalid-input", "", Fault(fault.format(**figures), pointer))
        self.fault = fault
        self.figures = figures


def sections_of(body: NewSeating) -> list[Section]:
    """The sections of a body."""
    dumped: list[Section] = body.model_dump(mode="json", by_alias=True, exclude_defaults=True)["sections"]
    return dumped


def seats_of(section: Section) -> Iterator[tuple[str, Seat]]:
    """The seats of a section in their order: the name (SECTION-ROW-SEAT) and the seat with its category."""
    for row in section.get("rows", ()):
        for seat in row["seats"]:
            yield f"{section['name']}-{row['label']}-{seat['label']}", {"category": section["category"]} | seat


def categories_of(hall: Iterable[HallSection]) -> frozenset[UUID]:
    """The ticket types of a plan."""
    return frozenset(category for section in hall for category in section.categories)


def check_plan(sections: list[Section], listing: Listing) -> None:
    """Refused: invalid-input for a name that stands twice, a category that is not the event's, too many seats."""
    if not sections:
        return
    try:
        check_hall(hall_of(sections), {ticket.id for ticket in listing.tickets})
    except InvalidPlan as error:
        raise PlanRefused("/sections", error.fault, **error.figures) from error


def check_taken(before: Iterable[Section], after: Iterable[Section], taken: Collection[str]) -> None:
    """Refused: seats-taken, if a seat that is held or sold would not stay as it is. An aisle may come beside it."""
    known, fresh = _named(before, taken), _named(after, taken)
    changed = sorted(name for name, seat in known.items() if name not in fresh or _kept(fresh[name]) != _kept(seat))
    if changed:
        detail = f"{len(changed)} seats that are held or sold would change or be gone"
        raise Refused("seats-taken", detail, seats=changed[:TAKEN_MAX_NAMED])


def with_categories(sections: list[Section], names: Mapping[str, str], ids: Mapping[str, str]) -> list[Section]:
    """A plan of another event with this one's ticket types: ``names`` by id there, ``ids`` by name here.

    Refused: invalid-input for a name that this event does not have.
    """

    def mapped(holder: dict[str, Any]) -> dict[str, Any]:
        if "category" not in holder:
            return holder
        name = names.get(holder["category"], holder["category"])
        if name not in ids:
            raise PlanRefused("/copyFrom", PlanFault.NO_SUCH_TICKET_TYPE, name=name)
        return holder | {"category": ids[name]}

    def copied(section: Section) -> Section:
        rows = [row | {"seats": [mapped(seat) for seat in row["seats"]]} for row in section.get("rows", ())]
        return mapped(section) | ({"rows": rows} if rows else {})

    return [copied(section) for section in sections]


def hall_of(sections: Iterable[Section]) -> list[HallSection]:
    """The sections as the ledger gets them."""
    return [_hall_section(section) for section in sections]


def _hall_section(section: Section) -> HallSection:
    seats = [seat for _, seat in seats_of(section)]
    categories = list(dict.fromkeys(seat["category"] for seat in seats)) or [section["category"]]
    numbers = {category: number for number, category in enumerate(categories)}
    return HallSection(
        name=section["name"],
        title=section.get("title", ""),
        focal=_focus(section, seats),
        categories=[UUID(category) for category in categories],
        rows=[_row(row, numbers, section["category"]) for row in section.get("rows", ())],
    )


def _focus(section: Section, seats: list[Seat]) -> tuple[int, int]:
    if focus := section.get("focus"):
        return focus["x"], focus["y"]
    if not seats:
        return 0, 0
    across = [seat["x"] for seat in seats]
    return (min(across) + max(across)) // 2, min(seat["y"] for seat in seats)


def _row(row: dict[str, Any], numbers: Mapping[str, int], category: str) -> PlanRow:
    return PlanRow(
        row["label"],
        [
            PlanSeat(seat["label"], numbers[seat.get("category", category)], seat["x"], seat["y"], _flags(seat))
            for seat in row["seats"]
        ],
    )


def _flags(seat: Seat) -> int:
    flags = int(_KINDS[seat.get("kind", "standard")])
    if seat.get("obstructed"):
        flags |= SeatFlags.OBSTRUCTED
    if seat.get("gapBefore"):
        flags |= SeatFlags.AISLE_BEFORE
    return int(flags)


def _kept(seat: Seat) -> Seat:
    return {field: value for field, value in seat.items() if field != "gapBefore"}


def _named(sections: Iterable[Section], names: Collection[str]) -> dict[str, Seat]:
    wanted = {name.partition("-")[0] for name in names}
    some = (seats_of(section) for section in sections if section["name"] in wanted)
    return {name: seat for seats in some for name, seat in seats if name in names}
