"""Halls with square sections, and orders of their seats for two neighbours."""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from lab.bench.orders import STOCK, Show, definition
from tables.messages.commands import DefineEvent, TicketLine
from tables.messages.sections import BestAvailable, DefineSection, PlanRow, PlanSeat
from tables.seating.plan import HallSection, pieces_of

ORDER_SEATS: Final = 2
PLAN: Final = 1
SEAT_SPACING: Final = 10

Names = tuple[str, ...]


def seat_rows(section: str, side: int) -> list[list[str]]:
    """The names of the seats of a section of ``side`` rows of as many seats, by row."""
    return [[f"{section}-{row}-{seat}" for seat in range(1, side + 1)] for row in range(1, side + 1)]


def neighbours(rows: Sequence[Sequence[str]], among: Collection[str] | None = None) -> list[Names]:
    """Pairs of seats beside each other, none of them in two pairs; of those ``among`` these only, if given."""
    pairs: list[Names] = [pair for row in rows for pair in [*pairwise(row)][::ORDER_SEATS]]
    return pairs if among is None else [pair for pair in pairs if pair[0] in among and pair[1] in among]


def named(ticket_type: UUID, seats: Names) -> TicketLine:
    """A line for seats by name."""
    return TicketLine(ticket_type, len(seats), seats)


def best(ticket_type: UUID) -> TicketLine:
    """A line for the best two seats that are left."""
    return TicketLine(ticket_type, ORDER_SEATS, best=BestAvailable())


def counted(ticket_type: UUID) -> TicketLine:
    """A line without seats."""
    return TicketLine(ticket_type, ORDER_SEATS)


def hall(show: Show, sections: Sequence[str], side: int) -> Iterator[DefineSection]:
    """The plan of an event whose sections have ``side`` rows of as many seats, all of its first ticket type."""
    rows = [PlanRow(str(row + 1), [_seat(row, seat) for seat in range(side)]) for row in range(side)]
    # Whole pairs are left on both sides of the first one sold.
    focal = (SEAT_SPACING * (side // 4 * 2), 0)
    return pieces_of(
        show.event,
        PLAN,
        [HallSection(name=name, focal=focal, categories=[show.types[0]], rows=rows) for name in sections],
    )


def on_sale(show: Show, *, seated: bool, stock: int = STOCK) -> DefineEvent:
    """The command that puts an event on sale, with its plan if it is ``seated``, and without limits."""
    command = definition(show, stock)
    plan = PLAN if seated else None
    return replace(command, definition=replace(command.definition, max_per_order=None, max_per_account=None, plan=plan))


def _seat(row: int, seat: int) -> PlanSeat:
    return PlanSeat(str(seat + 1), 0, SEAT_SPACING * seat, SEAT_SPACING * row)
