"""The rules of choosing seats: by name or the best available, for all lines of an order or none."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from tables.ledger.hall import Hall
from tables.ledger.seat_moves import SeatGroup
from tables.messages.commands import TicketLine
from tables.messages.reasons import Reason, Refusal
from tables.messages.sections import ORDER_MAX_SEATS, BestAvailable
from tables.seating.best_available import FreeSeats, free_seats
from tables.seating.choice import choose, longest
from tables.seating.layout import section_of
from tables.seating.nearby import nearby
from tables.seating.section_state import SectionState

# Of a refusal's figures.
NAMED_MAX_SEATS: Final = 20
# A section that has lost more sold seats to changes of the plan sells nothing, so that its record stays small.
REMOVED_MAX_SEATS: Final = 1_000

Figures = dict[str, Any]


class SeatRefusal(Exception):
    """An order of seats is refused."""

    def __init__(self, reason: Reason, figures: Figures) -> None:
        self.refusal: Refusal = (reason, figures)


def choose_seats(hall: Hall, lines: Sequence[TicketLine]) -> tuple[SeatGroup, ...]:
    """The seats that an order gets, by ticket type in the order of its lines. Raises SeatRefusal.

    Seats by name are chosen first, so that the best available are chosen among the others.
    """
    seated = [line for line in lines if _is_seated(hall, line)]
    if len({line.ticket_type.int for line in seated}) < len(seated):
        raise SeatRefusal(Reason.INVALID_SEATS, {"ticketType": str(seated[-1].ticket_type)})
    total = sum([line.quantity for line in seated])
    if total > ORDER_MAX_SEATS:
        raise SeatRefusal(Reason.ORDER_LIMIT_EXCEEDED, {"limit": ORDER_MAX_SEATS, "requested": total})
    order = _Order(hall)
    named = {line.ticket_type.int: order.named(line.ticket_type, line.seats) for line in seated if line.seats}
    return tuple(
        [SeatGroup(line.ticket_type, tuple(named.get(line.ticket_type.int) or order.best(line))) for line in seated]
    )


def choose_others(hall: Hall, names: Collection[str]) -> tuple[SeatGroup, ...]:
    """The seats of an exchange, by ticket type. Raises SeatRefusal."""
    groups: dict[int, list[str]] = {}
    for name in names:
        section = hall.section(section_of(name))
        bit = None if section is None else section.layout.bit_of(name)
        if section is None or bit is None:
            raise SeatRefusal(Reason.UNKNOWN_SEAT, {"seats": [name]})
        groups.setdefault(section.layout.category_of(bit).int, []).append(name)
    order = _Order(hall)
    return tuple([SeatGroup(UUID(int=key), tuple(order.named(UUID(int=key), seats))) for key, seats in groups.items()])


def _is_seated(hall: Hall, line: TicketLine) -> bool:
    """Whether a line is of a type that is sold by seat. Raises SeatRefusal if it asks for seats as it can't."""
    best = line.best
    if not hall.is_seated(line.ticket_type):
        refuse_seats(line)
        return False
    if not line.seats and best is None:
        raise SeatRefusal(Reason.SEATS_REQUIRED, {"ticketType": str(line.ticket_type)})
    if line.seats and (best is not None or not len(set(line.seats)) == len(line.seats) == line.quantity):
        raise SeatRefusal(Reason.INVALID_SEATS, {"ticketType": str(line.ticket_type)})
    return True


def refuse_seats(line: TicketLine) -> None:
    """Raise SeatRefusal if a line of a type that is only counted asks for seats."""
    if line.seats or line.best is not None:
        raise SeatRefusal(Reason.NOT_SEATED, {"ticketType": str(line.ticket_type)})


class _Order:
    """The seats that are free and not chosen yet, by section."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._free: dict[str, int] = {}
        self._sections: dict[str, SectionState | None] = {}

    def named(self, category: UUID, names: Sequence[str]) -> Sequence[str]:
        """These seats, if all are there and free."""
        unknown: list[str] = []
        taken: list[tuple[SectionState, int]] = []
        for name in names:
            section = self._section(section_of(name))
            bit = None if section is None else _bit_of(section, category, name)
            if section is None or bit is None:
                unknown.append(name)
                continue
            if _is_free(self._free_in(section), bit):
                self._choose(section, 1 << bit)
            else:
                taken.append((section, bit))
        if unknown:
            raise SeatRefusal(Reason.UNKNOWN_SEAT, {"seats": unknown[:NAMED_MAX_SEATS]})
        if taken:
            raise self._taken(category, taken)
        return names

    def best(self, line: TicketLine) -> list[str]:
        """The best seats for a line."""
        best = line.best or BestAvailable()
        sections = self._hall.sections_of(line.ticket_type, best.section)
        if best.section is not None and not sections:
            raise SeatRefusal(Reason.UNKNOWN_SEAT, {"section": best.section})
        offered = [self._offered(section, line.ticket_type, accessible=best.accessible) for section in sections]
        # Places for a wheelchair and its companions are adjacent in any case.
        chosen = choose(offered, line.quantity, together=best.together or best.accessible)
        if not chosen:
            raise _none_left(line, offered, sections)
        names: list[str] = []
        for number, bits in chosen:
            self._choose(sections[number], bits)
            names += sections[number].layout.names_of(bits)
        return names

    def _offered(self, section: SectionState, category: UUID, *, accessible: bool) -> FreeSeats:
        return free_seats(section.layout, self._free_in(section), category, accessible=accessible)

    def _free_in(self, section: SectionState) -> int:
        free = self._free.get(section.layout.name)
        if free is None:
            _check_removed(section)
            free = self._free[section.layout.name] = section.free
        return free

    def _section(self, name: str) -> SectionState | None:
        if name not in self._sections:
            self._sections[name] = self._hall.section(name)
        return self._sections[name]

    def _choose(self, section: SectionState, bits: int) -> None:
        self._free[section.layout.name] ^= bits

    def _taken(self, category: UUID, seats: Sequence[tuple[SectionState, int]]) -> SeatRefusal:
        """The refusal with the seats that are taken, and as many others near the first one."""
        seats = seats[:NAMED_MAX_SEATS]
        section, bit = seats[0]
        offered = self._offered(section, category, accessible=False)
        nearest = [section.layout.name_of(each) for each in nearby(offered, bit, len(seats))]
        names = [each.layout.name_of(place) for each, place in seats]
        return SeatRefusal(Reason.SEAT_TAKEN, {"seats": names, "nearest": nearest})


def _check_removed(section: SectionState) -> None:
    if len(section.removed) > REMOVED_MAX_SEATS:
        figures = {"removedSeats": len(section.removed), "limit": REMOVED_MAX_SEATS}
        raise SeatRefusal(Reason.EVENT_NOT_OPEN, figures)


def _bit_of(section: SectionState, category: UUID, name: str) -> int | None:
    """The bit of a seat, if it is of the category."""
    bit = section.layout.bit_of(name)
    return None if bit is None or section.layout.category_of(bit).int != category.int else bit


def _is_free(free: int, bit: int) -> bool:
    return bool(free >> bit & 1)


def _none_left(line: TicketLine, offered: Sequence[FreeSeats], sections: Sequence[SectionState]) -> SeatRefusal:
    available = sum([seats.chosen.bit_count() for seats in offered])
    figures: Figures = {"requested": line.quantity, "ticketType": str(line.ticket_type)}
    if available < line.quantity:
        return SeatRefusal(Reason.SOLD_OUT, figures | _counts(line, sections) | {"available": available})
    return SeatRefusal(Reason.NO_ADJACENT_SEATS, figures | {"longest": longest(offered, line.quantity)})


def _counts(line: TicketLine, sections: Sequence[SectionState]) -> Figures:
    """The number of seats among which the best were looked for, and of those held."""
    accessible = line.best is not None and line.best.accessible
    seats = [each.layout.categories[line.ticket_type.int][accessible] for each in sections]
    held = [section.held & bits for section, bits in zip(sections, seats, strict=True)]
    return {"limit": sum([bits.bit_count() for bits in seats]), "held": sum([bits.bit_count() for bits in held])}
