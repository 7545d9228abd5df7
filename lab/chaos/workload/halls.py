"""The halls of a chaos run: the plans that an event has one after the other, and how its seats are asked for."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

SEAT_WIDTH: Final = 10
A_ROWS: Final = 12
A_SEATS: Final = 10
B_ROWS: Final = 8
B_SEATS: Final = 8
# The plan, of those of a hall, that lacks the row whose seats are the best.
WITHOUT_FRONT: Final = 2
# What a request for the best available seats may say. Nothing says what is so by default: the log leaves that out.
BEST: Final[tuple[Json, ...]] = ({}, {}, {}, {}, {"together": False}, {"section": "B"}, {"accessible": True})
BEST_SHARE: Final = 0.5
# Of the other requests for seats the share that only count them, and are refused.
COUNTED_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Hall:
    """``plans`` are the bodies that put its plan, at first the first one. ``seats`` are names by ticket type.

    The later plans lack seats or change them, so they are refused once one of these is held or sold.
    """

    plans: list[Json]
    seats: dict[str, list[str]]

    def wish(self, rng: random.Random, ticket_type: str, quantity: int) -> Json:
        """Which seats a line asks for: by name, or the best; nothing for tickets that are only counted."""
        names = self.seats.get(ticket_type, [])
        if not names:
            return {}
        if rng.random() < BEST_SHARE:
            return {"best": dict(rng.choice(BEST))}
        if rng.random() < COUNTED_SHARE:
            return {}
        first = rng.randrange(len(names))
        return {"seats": names[first : first + quantity]}

    def other(self, rng: random.Random, seat: str) -> str:
        """Any seat, mostly of the same ticket type."""
        kind = next(kind for kind, names in self.seats.items() if seat in names)
        return rng.choice(self.seats[kind if rng.random() < 0.9 else rng.choice(list(self.seats))])


def hall_of(ticket_types: Sequence[str]) -> Hall:
    """The hall of an event with three ticket types: two are sold by seat, the third is only counted."""
    floor, stand, general = ticket_types
    front = [_row(number, A_SEATS, aisle_before=6) for number in range(A_ROWS)]
    front[-1] = _of_category(front[-1], stand)
    back = [_row(number, B_SEATS) for number in range(B_ROWS)]
    for place, kind in ((0, "wheelchair"), (1, "companion"), (-1, "wheelchair"), (-2, "companion")):
        back[-1]["seats"][place]["kind"] = kind
    standing = {"name": "G", "category": general}

    def plan(rows: list[Json], *more: Json) -> Json:
        return {"sections": [{"name": "A", "category": floor, "rows": rows}, *more, standing]}

    stands = {"name": "B", "category": stand, "rows": back}
    plans = [
        plan(front, stands),
        plan([*front, _row(A_ROWS, A_SEATS)], stands),
        plan(front[1:], stands),
        plan(front),
        plan([front[0], _of_category(front[1], stand), *front[2:]], stands),
        plan([_moved(row) for row in front], stands),
    ]
    seats: dict[str, list[str]] = {floor: [], stand: []}
    for section in plans[0]["sections"]:
        for row in section.get("rows", ()):
            for seat in row["seats"]:
                kind = seat.get("category", section["category"])
                seats[kind].append(f"{section['name']}-{row['label']}-{seat['label']}")
    return Hall(plans, seats)


def _row(number: int, seats: int, aisle_before: int = 0) -> Json:
    places: list[Json] = [
        {"label": str(place + 1), "x": place * SEAT_WIDTH, "y": number * SEAT_WIDTH} for place in range(seats)
    ]
    if aisle_before:
        places[aisle_before - 1]["gapBefore"] = True
    return {"label": str(number + 1), "seats": places}


def _of_category(row: Json, ticket_type: str) -> Json:
    return row | {"seats": [seat | {"category": ticket_type} for seat in row["seats"]]}


def _moved(row: Json) -> Json:
    return row | {"seats": [seat | {"x": seat["x"] + SEAT_WIDTH} for seat in row["seats"]]}
