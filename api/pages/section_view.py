"""A section as a page shows it: its rows of seats, each with its place, its ticket type's colour and its state."""

from base64 import b64decode
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from api.organizing.seating import Section, seats_of
from api.schemas.seating import Seats
from api.schemas.ticket import TicketType

# As many colours as are told apart by everybody; each has a shape of its own.
COLOURS: Final = 6
STANDARD: Final = "standard"


class ShownSeat(NamedTuple):
    """A seat: ``bit`` is its number in the section, ``colour`` that of its ticket type."""

    name: str
    label: str
    x: int
    y: int
    bit: int
    colour: int
    kind: str = STANDARD
    is_obstructed: bool = False
    is_taken: bool = False
    is_chosen: bool = False
    is_near: bool = False

    @property
    def free_look(self) -> str:
        """Its look on the drawing while it is free."""
        return f"type-{self.colour}" if self.kind == STANDARD else self.kind

    @property
    def look(self) -> str:
        """Its look on the drawing now."""
        return "taken" if self.is_taken else "chosen" if self.is_chosen else self.free_look


class ShownRow(NamedTuple):
    """A row of seats."""

    label: str
    seats: Sequence[ShownSeat]

    @property
    def across(self) -> str:
        """The x of the seats: of the first one, and how much farther each next one is."""
        return _steps([seat.x for seat in self.seats])

    @property
    def down(self) -> str:
        """The y of the seats in the same way; only that of the first one if it is the same for all."""
        found = [seat.y for seat in self.seats]
        return _steps(found if len(set(found)) > 1 else found[:1])


class ShownType(NamedTuple):
    """A ticket type of a section, with the number of its colour."""

    ticket: TicketType
    colour: int


def shown_types(tickets: Iterable[TicketType], section: Section) -> list[ShownType]:
    """The ticket types of a section's seats, in the order of the seats."""
    known = {str(ticket.id): ticket for ticket in tickets}
    found = dict.fromkeys(seat["category"] for _, seat in seats_of(section))
    return [ShownType(known[kind], place % COLOURS) for place, kind in enumerate(found) if kind in known]


def shown_rows(
    section: Section,
    types: Iterable[ShownType],
    *,
    taken: int = 0,
    chosen: Collection[str] = (),
    near: Collection[str] = (),
) -> list[ShownRow]:
    """The rows of a section; ``taken`` has a bit for each seat, the others are names of seats."""
    colours = {str(each.ticket.id): each.colour for each in types}
    numbered = iter(enumerate(seats_of(section)))

    def shown(row: Mapping[str, Any]) -> Iterator[ShownSeat]:
        for _, (bit, (name, seat)) in zip(row["seats"], numbered, strict=False):
            is_taken = bool(taken >> bit & 1)
            yield ShownSeat(
                name,
                seat["label"],
                seat["x"],
                seat["y"],
                bit,
                colours.get(seat["category"], 0),
                seat.get("kind", STANDARD),
                seat.get("obstructed", False),
                is_taken,
                name in chosen and not is_taken,
                name in near and not is_taken,
            )

    return [ShownRow(row["label"], list(shown(row))) for row in section.get("rows", ())]


def _steps(places: Sequence[int]) -> str:
    """Steps of drawn rows are small and alike, so that a page of them compresses to half."""
    return " ".join([str(place - before) for before, place in zip([0, *places], places, strict=False)])


def taken_bits(section: str, taken: Seats | None) -> int:
    """The seats of a section that are held or sold, as bits."""
    found = next((each.taken for each in taken.sections if each.name == section), "") if taken else ""
    return int.from_bytes(b64decode(found), "little")
