"""The rules of choosing seats: by name or the best available, for all lines of an order or none."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from tables.ids import text_of
from tables.ledger.hall import Hall
from tables.ledger.seat_moves import SeatChoice, SeatGroup
from tables.messages.commands import TicketLine
from tables.messages.reasons import Reason, Refusal
from tables.messages.sections import ORDER_MAX_SEATS, BestAvailable
from tables.seating.best_available import run_bits
from tables.seating.choice import FreeSeats, choose, longest, nearby
from tables.seating.layout import SEPARATOR, section_of
from tables.seating.rows import RowBits, joined, rows_with
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


def choose_seats(hall: Hall, lines: Sequence[TicketLine]) -> SeatChoice:
    """The seats that an order gets, by ticket type in the order of its lines. Raises SeatRefusal.

    Seats by name are chosen first, so that the best available are chosen among the others.
    """
    seated = [line for line in lines if _is_seated(hall, line)]
    if len(seated) > 1 and len({line.ticket_type.int for line in seated}) < len(seated):
        raise SeatRefusal(Reason.INVALID_SEATS, {"ticketType": text_of(seated[-1].ticket_type)})
    total = sum([line.quantity for line in seated])
    if total > ORDER_MAX_SEATS:
        raise SeatRefusal(Reason.ORDER_LIMIT_EXCEEDED, {"limit": ORDER_MAX_SEATS, "requested": total})
    order = _Order(hall, {})
    groups = {line.ticket_type.int: order.group(line) for line in seated if line.seats}
    return tuple([groups.get(line.ticket_type.int) or order.group(line) for line in seated]), order.rows()


def choose_at_once(hall: Hall, line: TicketLine) -> SeatChoice | None:
    """What nearly all orders get, found in few steps: seats of one section. None if a longer look is needed."""
    best = line.best
    if not hall.is_seated(line.ticket_type) or line.quantity > ORDER_MAX_SEATS:
        return None
    if best is None:
        return _named_at_once(hall, line.ticket_type, line.quantity, line.seats)
    if line.seats or best.accessible:
        return None
    if hall.is_changed:
        _sections_for(hall, line.ticket_type, best.section)
    for section in hall.left(line.ticket_type, best.section):
        place = section.best_run(line.ticket_type, line.quantity)
        if place is not None:
            layout, (row, at) = section.layout, place
            names = layout.names_in(row, at, line.quantity)
            return (SeatGroup(line.ticket_type, names),), {layout.name: [(row, run_bits(at, line.quantity))]}
    return None


def _named_at_once(hall: Hall, category: UUID, count: int, names: tuple[str, ...]) -> SeatChoice | None:
    if not names or not len(set(names)) == len(names) == count:
        return None
    name = names[0].partition(SEPARATOR)[0]
    section = hall.section(name)
    if section is None or len(section.removed) > REMOVED_MAX_SEATS:
        return None
    layout, free = section.layout, section.rows
    rows = layout.rows_of(names, category)
    for row, bits in rows:
        if not _is_free(free[row], bits):
            left = joined(layout.starts, [(row, bits & free[row]) for row, bits in rows])
            lost = [each for each in names if not layout.bits_of((each,)) & left] if left else names
            taken = [(section, each) for each in lost[:NAMED_MAX_SEATS]]
            raise _Order(hall, {name: left}).taken(category, taken)
    return ((SeatGroup(category, names),), {name: rows}) if rows else None


def _sections_for(hall: Hall, category: UUID, section: str | None) -> Sequence[str]:
    """The sections that have seats of a category; only that one ``section``, if given.

    Raises SeatRefusal if one has lost too many seats.
    """
    names = hall.sections_of(category, section)
    for name in names if hall.is_changed else ():
        removed, _ = hall.outline(name)
        if removed > REMOVED_MAX_SEATS:
            raise _lost_too_many(removed)
    return names


def choose_others(hall: Hall, names: Collection[str]) -> tuple[SeatGroup, ...]:
    """The seats of an exchange, by ticket type. Raises SeatRefusal."""
    groups: dict[int, list[str]] = {}
    for name in names:
        section = hall.section(section_of(name))
        bits = 0 if section is None else section.layout.bits_of((name,))
        if section is None or not bits:
            raise SeatRefusal(Reason.UNKNOWN_SEAT, {"seats": [name]})
        groups.setdefault(section.layout.category_of(bits.bit_length() - 1).int, []).append(name)
    order = _Order(hall, {})
    chosen = [SeatGroup(UUID(int=key), tuple(seats)) for key, seats in groups.items()]
    for group in chosen:
        order.choose(group.ticket_type, group.seats)
    return tuple(chosen)


def _is_seated(hall: Hall, line: TicketLine) -> bool:
    """Whether a line is of a type that is sold by seat. Raises SeatRefusal if it asks for seats as it can't."""
    seats, best = line.seats, line.best
    if not hall.is_seated(line.ticket_type):
        refuse_seats(line)
        return False
    if not seats:
        if best is None:
            raise SeatRefusal(Reason.SEATS_REQUIRED, {"ticketType": text_of(line.ticket_type)})
    elif best is not None or not len(set(seats)) == len(seats) == line.quantity:
        raise SeatRefusal(Reason.INVALID_SEATS, {"ticketType": text_of(line.ticket_type)})
    return True


def refuse_seats(line: TicketLine) -> None:
    """Raise SeatRefusal if a line of a type that is only counted asks for seats."""
    if line.seats or line.best is not None:
        raise SeatRefusal(Reason.NOT_SEATED, {"ticketType": text_of(line.ticket_type)})


class _Order:
    """The choice for one order: ``chosen`` has the bits of its seats by section."""

    __slots__ = ("_hall", "chosen")

    def __init__(self, hall: Hall, chosen: dict[str, int]) -> None:
        self._hall = hall
        self.chosen = chosen

    def group(self, line: TicketLine) -> SeatGroup:
        """The seats for a line: those that it names, if all are there and free, or else the best ones."""
        if not line.seats:
            return SeatGroup(line.ticket_type, self._best(line))
        self.choose(line.ticket_type, line.seats)
        return SeatGroup(line.ticket_type, line.seats)

    def rows(self) -> dict[str, list[RowBits]]:
        """The bits by row of each section."""
        return {name: rows_with(self._hall.state(name).layout.starts, bits) for name, bits in self.chosen.items()}

    def choose(self, category: UUID, names: tuple[str, ...]) -> None:
        """Choose these seats, if all are there and free."""
        section = self._hall.section(names[0].partition(SEPARATOR)[0])
        if section is not None:
            bits = section.layout.bits_of(names, category)
            if bits and _is_free(self._free_in(section), bits):
                self._choose(section, bits)
                return
        self._choose_each(category, names)

    def _choose_each(self, category: UUID, names: Iterable[str]) -> None:
        """Choose seats of several sections, or refuse those that are not there or not free by name."""
        unknown: list[str] = []
        taken: list[tuple[SectionState, str]] = []
        for name in names:
            section = self._hall.section(section_of(name))
            bit = 0 if section is None else section.layout.bits_of((name,), category)
            if section is None or not bit:
                unknown.append(name)
            elif _is_free(self._free_in(section), bit):
                self._choose(section, bit)
            else:
                taken.append((section, name))
        if unknown:
            raise SeatRefusal(Reason.UNKNOWN_SEAT, {"seats": unknown[:NAMED_MAX_SEATS]})
        if taken:
            raise self.taken(category, taken[:NAMED_MAX_SEATS])

    def _best(self, line: TicketLine) -> tuple[str, ...]:
        best = line.best or BestAvailable()
        sections = _sections_for(self._hall, line.ticket_type, best.section)
        if best.section is not None and not sections:
            raise SeatRefusal(Reason.UNKNOWN_SEAT, {"section": best.section})
        # Places for a wheelchair and its companions are adjacent in any case.
        reached: list[SectionState] = []
        offered = self._offered(line.ticket_type, best, reached)
        chosen = choose(offered, line.quantity, together=best.together or best.accessible)
        if not chosen:
            raise self._none_left(line, best, reached)
        seats: tuple[str, ...] = ()
        for number, first, count in chosen:
            section = reached[number]
            self._choose(section, run_bits(first, count))
            seats += section.layout.run_names(first, count)
        return seats

    def _offered(self, category: UUID, best: BestAvailable, reached: list[SectionState]) -> Iterator[FreeSeats]:
        """The seats of sections from which the best are chosen. A section is read when it is ``reached``."""
        for section in self._hall.left(category, best.section):
            reached.append(section)
            yield FreeSeats(section.layout.pool(category, accessible=best.accessible), self._free_in(section))

    def _none_left(self, line: TicketLine, best: BestAvailable, left: Sequence[SectionState]) -> SeatRefusal:
        """The refusal where the sections that have free seats ``left`` don't have the best ones that were asked for."""
        offered = [
            FreeSeats(section.layout.pool(line.ticket_type, accessible=best.accessible), self._free_in(section))
            for section in left
        ]
        available = sum([seats.chosen.bit_count() for seats in offered])
        figures: Figures = {"requested": line.quantity, "ticketType": text_of(line.ticket_type)}
        if available >= line.quantity:
            return SeatRefusal(Reason.NO_ADJACENT_SEATS, figures | {"longest": longest(offered, line.quantity)})
        seats, held = self._hall.counts(line.ticket_type, best.section, accessible=best.accessible)
        return SeatRefusal(Reason.SOLD_OUT, figures | {"limit": seats, "held": held, "available": available})

    def _free_in(self, section: SectionState) -> int:
        if len(section.removed) > REMOVED_MAX_SEATS:
            raise _lost_too_many(len(section.removed))
        return section.free ^ self.chosen.get(section.layout.name, 0) if self.chosen else section.free

    def _choose(self, section: SectionState, bits: int) -> None:
        name = section.layout.name
        self.chosen[name] = self.chosen.get(name, 0) | bits

    def taken(self, category: UUID, seats: Sequence[tuple[SectionState, str]]) -> SeatRefusal:
        """The refusal with the seats that are taken, and in each section as many others near the first one."""
        lost: dict[str, list[str]] = {}
        nearest: list[str] = []
        for section, name in seats:
            if section.free:
                lost.setdefault(section.layout.name, []).append(name)
        for name, names in lost.items():
            nearest += self._nearest(self._hall.state(name), category, names)
        return SeatRefusal(Reason.SEAT_TAKEN, {"seats": [name for _, name in seats], "nearest": nearest})

    def _nearest(self, section: SectionState, category: UUID, lost: Sequence[str]) -> list[str]:
        layout = section.layout
        bit = layout.bits_of(lost[:1]).bit_length() - 1
        offered = FreeSeats(layout.pool(category, accessible=False), self._free_in(section))
        return [layout.name_of(each) for each in nearby(offered, layout.row_of(bit), bit, len(lost))]


def _lost_too_many(removed: int) -> SeatRefusal:
    return SeatRefusal(Reason.EVENT_NOT_OPEN, {"removedSeats": removed, "limit": REMOVED_MAX_SEATS})


def _is_free(free: int, bits: int) -> bool:
    return bits & free == bits
