"""Changes of a seating plan: sections are added and removed, seats of a section are marked or removed."""

from collections.abc import Callable, Collection, Iterable
from typing import Any
from uuid import UUID

from api.organizing.seating import PlanRefused, Seat, Section
from api.problems import Refused, wrong
from tables.seating.plan_faults import PlanFault

# What becomes of a seat; None removes it.
SeatChange = Callable[[Seat], Seat | None]


def with_section(sections: Iterable[Section], section: Section) -> list[Section]:
    """The plan with a section in the place of the one with its name, or else as the last one."""
    found = list(sections)
    names = [each["name"] for each in found]
    if section["name"] in names:
        found[names.index(section["name"])] = section
        return found
    return [*found, section]


def without_section(sections: Iterable[Section], name: str) -> list[Section]:
    """The plan without a section."""
    return [each for each in sections if each["name"] != name]


def section_named(sections: Iterable[Section], name: str) -> Section:
    """The section. Refused: not-found."""
    found = next((each for each in sections if each["name"] == name), None)
    if found is None:
        raise Refused("not-found")
    return found


def section_or_new(sections: Iterable[Section], name: str, category: UUID | None) -> Section:
    """The section, or else a new one of that ticket type. Refused: invalid-input if it is new and has none."""
    found = next((each for each in sections if each["name"] == name), None)
    if found is None and category is None:
        raise wrong("/category", "a new section needs a ticket type")
    return found or {"name": name, "category": str(category)}


def with_title(section: Section, title: str | None) -> Section:
    """The section with a title, or without one."""
    rest = {key: value for key, value in section.items() if key != "title"}
    return rest | {"title": title} if title else rest


def with_seats_changed(section: Section, names: Collection[str], change: SeatChange) -> Section:
    """The section with some of its seats changed; a row without seats is gone. Refused: invalid-input if all are.

    Where a seat is removed, its neighbours have a gap between them and don't become adjacent.
    """
    rows = [
        row | {"seats": seats}
        for row in section.get("rows", ())
        if (seats := _changed(f"{section['name']}-{row['label']}-", row["seats"], names, change))
    ]
    if not rows:
        raise PlanRefused("/sections", PlanFault.NO_SEATS_LEFT, name=section["name"])
    return section | {"rows": rows}


def with_kind(kind: str) -> SeatChange:
    """Makes a seat one for a wheelchair, for a companion, or a standard one."""
    return lambda seat: _set(seat, "kind", kind, "standard")


def with_view(*, is_obstructed: bool) -> SeatChange:
    """Marks a seat's view as obstructed or not."""
    return lambda seat: _set(seat, "obstructed", is_obstructed, default=False)


def with_category(category: UUID, section: Section) -> SeatChange:
    """Gives a seat of the section another ticket type."""
    return lambda seat: _set(seat, "category", str(category), section["category"])


def removed(_: Seat) -> None:
    """Removes a seat."""


def _changed(prefix: str, seats: Iterable[Seat], names: Collection[str], change: SeatChange) -> list[Seat]:
    kept: list[Seat] = []
    has_gap = False
    for seat in seats:
        after = change(seat) if prefix + seat["label"] in names else seat
        if after is None:
            has_gap = bool(kept)
            continue
        kept.append(_set(after, "gapBefore", value=True, default=False) if has_gap else after)
        has_gap = False
    return kept


def _set(seat: Seat, field: str, value: Any, default: Any) -> Seat:
    rest = {key: known for key, known in seat.items() if key != field}
    return rest if value == default else rest | {field: value}
