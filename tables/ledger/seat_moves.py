"""The seats of a purchase: which it took and gave back by which command, and which it has now."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from tables.seating.rows import RowBits


class SeatGroup(Struct, frozen=True, array_like=True):
    """Seats of one ticket type, by name."""

    ticket_type: UUID
    seats: tuple[str, ...]


# The seats that an order gets: their names by ticket type, and their bits by row of each section.
SeatChoice = tuple[tuple[SeatGroup, ...], dict[str, list[RowBits]]]


class SeatMove(Struct, frozen=True, array_like=True):
    """What the command at ``offset`` took, by the plan of that number, and gave back.

    The first one takes the seats of the purchase's lines; a later one that takes seats is an exchange. ``word`` is the
    reason of a refusal, where versions without seats don't know it.
    """

    offset: int
    plan: int
    taken: tuple[SeatGroup, ...] = ()
    given: tuple[str, ...] = ()
    word: str | None = None


class SeatTicket(NamedTuple):
    """The ticket of a seat: its type, and its position within the purchase, from which its code follows."""

    ticket_type: UUID
    position: int


def seat_tickets(moves: Sequence[SeatMove], firsts: Iterable[tuple[UUID, int, int]]) -> dict[str, SeatTicket]:
    """All seats that a purchase ever had, in the order of positions.

    ``firsts`` has the type, the first position and the quantity of the purchase's lines. What an exchange takes comes
    behind them, so that an exchanged ticket gets a new code.
    """
    begin, end = {}, 0
    for key, first, quantity in firsts:
        begin[key] = first
        end = max(end, first + quantity)
    tickets: dict[str, SeatTicket] = {}
    for number, move in enumerate(moves):
        for group in move.taken:
            position = end if number else begin[group.ticket_type]
            for name in group.seats:
                tickets[name] = SeatTicket(group.ticket_type, position)
                position += 1
            end = max(end, position)
    return tickets if len(moves) == 1 else dict(sorted(tickets.items(), key=lambda item: item[1].position))


def seats_taken(move: SeatMove) -> tuple[str, ...]:
    """The names that a move takes."""
    if len(move.taken) == 1:
        return move.taken[0].seats
    return tuple([name for group in move.taken for name in group.seats])


def seats_left(moves: Iterable[SeatMove]) -> set[str]:
    """The names that are not given back."""
    left: set[str] = set()
    for move in moves:
        left.difference_update(move.given)
        left.update(seats_taken(move))
    return left
