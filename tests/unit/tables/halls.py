"""Small halls, and commands about their seats."""

from collections.abc import Sequence
from itertools import count
from random import Random
from uuid import UUID

from tables.messages.commands import (
    Buy,
    Cancel,
    Command,
    Confirm,
    DefineEvent,
    Exchange,
    Expire,
    Hold,
    TicketLine,
)
from tables.messages.payment_modes import PaymentMode
from tables.messages.sections import BestAvailable, DefineSection, PlanRow, PlanSeat, SeatFlags
from tables.messages.statuses import EventStatus
from tables.seating.plan import HallSection, pieces_of
from tests.unit.tables.ledger_driver import ADA, BOB, BOX, FLOOR, STAND, definition, ticket_type

HALL_EVENT = UUID(int=0xE3)
# One letter a seat: f of the floor, s of the stands, w for a wheelchair and c for a companion of the floor; | is an
# aisle.
PLANS: dict[int, dict[str, list[str]]] = {
    1: {"A": ["fff|ff", "fffff", "sss"], "B": ["wcf", "f"]},
    2: {"A": ["fff|ff", "sss"], "C": ["ssff"]},
    3: {"A": ["fffff", "fffff", "sfs"], "B": ["wcff", "f"], "C": ["ff"]},
}
FLAGS = {"w": SeatFlags.WHEELCHAIR, "c": SeatFlags.COMPANION}


def hall_row(number: int, text: str) -> PlanRow:
    """A row of seats by their letters."""
    seats: list[PlanSeat] = []
    aisle = 0
    for letter in text:
        if letter == "|":
            aisle = int(SeatFlags.AISLE_BEFORE)
            continue
        flags = aisle | FLAGS.get(letter, 0)
        seats.append(PlanSeat(str(len(seats) + 1), int(letter == "s"), len(seats) * 10, number * 10, flags))
        aisle = 0
    return PlanRow(str(number + 1), seats)


def hall_section(name: str, rows: Sequence[str], focal: tuple[int, int] = (20, 0)) -> HallSection:
    """A section of rows of letters: of the floor alone, unless some are of the stands."""
    planned = [hall_row(number, row) for number, row in enumerate(rows)]
    categories = [FLOOR, STAND] if any("s" in row for row in rows) else [FLOOR]
    return HallSection(name=name, categories=categories, focal=focal, rows=planned)


def hall_pieces(plan: int, sections: dict[str, list[str]], event: UUID = HALL_EVENT) -> list[DefineSection]:
    """The pieces of a plan, and of a general section for boxes."""
    general = HallSection(name="G", categories=[BOX])
    return list(pieces_of(event, plan, [*(hall_section(name, rows) for name, rows in sections.items()), general]))


def names_of(plan: int) -> list[str]:
    """The names of all seats of a plan."""
    return [
        f"{section}-{row + 1}-{seat + 1}"
        for section, rows in PLANS[plan].items()
        for row, text in enumerate(rows)
        for seat in range(len(text.replace("|", "")))
    ]


class SeatCommands:
    """Random commands about the seats of one event: plans that change, orders, cancels, exchanges."""

    def __init__(self, random: Random, event: UUID = HALL_EVENT) -> None:
        self.random = random
        self.event = event
        self.versions = count(1)
        self.numbers = count(1)
        self.made: list[tuple[UUID, UUID, tuple[str, ...]]] = []
        self.names = names_of(1) + names_of(3)
        self.waiting: list[Command] = []
        self._plan(1)

    def command(self) -> Command:
        """The next command."""
        if self.waiting:
            return self.waiting.pop(0)
        if self.random.random() < 0.04:
            self._plan(self.random.choice([1, 2, 3]))
        ways = [self._buy, self._buy, self._buy, self._hold, self._confirm, self._cancel, self._exchange, self._expire]
        return self.random.choice(ways)()

    def _plan(self, plan: int) -> None:
        pieces: list[Command] = [*hall_pieces(plan, PLANS[plan], self.event)]
        if self.random.random() < 0.2:
            del pieces[0]
        types = [ticket_type(FLOOR, 30), ticket_type(STAND, 6), ticket_type(BOX, 20)]
        status = self.random.choice([EventStatus.ACTIVE] * 12 + [EventStatus.CANCELED])
        named = self.random.choice([plan] * 5 + [None])
        payment = self.random.choice([PaymentMode.NONE, PaymentMode.NONE, PaymentMode.ONLINE])
        new = definition(*types, status=status, plan=named, payment=payment)
        self.waiting += [*pieces, DefineEvent(self.event, next(self.versions), new)]

    def _seats(self, most: int) -> tuple[str, ...]:
        first = self.random.randrange(len(self.names))
        seats = self.names[first : first + self.random.randint(1, most)]
        return tuple(seats + seats[: self.random.random() < 0.05])

    def _line(self, key: UUID) -> TicketLine:
        way = self.random.random()
        quantity = self.random.choice([1, 2, 2, 3, 4])
        if way < 0.5:
            together, accessible = self.random.random() < 0.7, self.random.random() < 0.2
            section = self.random.choice([None] * 6 + ["A", "Z"])
            return TicketLine(key, quantity, best=BestAvailable(together, accessible, section))
        if way < 0.9:
            seats = self._seats(3)
            return TicketLine(key, len(seats), seats)
        return TicketLine(key, quantity)

    def _lines(self) -> list[TicketLine]:
        keys = self.random.choice([[FLOOR]] * 4 + [[STAND], [FLOOR, STAND], [FLOOR, BOX], [BOX]])
        if self.random.random() < 0.03:
            keys = [FLOOR, FLOOR]
        return [TicketLine(key, 1) if key == BOX and self.random.random() < 0.9 else self._line(key) for key in keys]

    def _new(self) -> tuple[UUID, UUID, UUID, list[TicketLine]]:
        again = self.made and self.random.random() < 0.05
        number = self.made[-1][0].int if again else 0xD000 + next(self.numbers)
        lines = self._lines()
        made = UUID(int=number), self.random.choice([ADA, BOB]), tuple(seat for line in lines for seat in line.seats)
        self.made.append(made)
        return self.event, *made[:2], lines

    def _known(self) -> tuple[UUID, UUID, UUID]:
        return self.event, *self._any()[:2]

    def _any(self) -> tuple[UUID, UUID, tuple[str, ...]]:
        return self.random.choice(self.made[-12:] or [(UUID(int=0xD000), ADA, ())])

    def _request(self) -> UUID:
        return UUID(int=self.random.randrange(1, 40))

    def _buy(self) -> Command:
        return Buy(*self._new())

    def _hold(self) -> Command:
        return Hold(*self._new(), self.random.choice([1, 2, 600]))

    def _confirm(self) -> Command:
        return Confirm(*self._known(), payment=self.random.choice([None, "pi_1"]))

    def _cancel(self) -> Command:
        if self.random.random() < 0.3:
            return Cancel(*self._known())
        lines = [TicketLine(self.random.choice([FLOOR, BOX, BOX]), 1)] if self.random.random() < 0.3 else []
        purchase, account, seats = self._any()
        return Cancel(self.event, purchase, account, self._request(), lines, seats[:1] or self._seats(2))

    def _exchange(self) -> Command:
        purchase, account, seats = self._any()
        give = seats[-1:] or self._seats(2)
        return Exchange(
            self.event, purchase, account, self._request(), give, self.random.choice([self._seats(2), ("A-3-2",)])
        )

    def _expire(self) -> Command:
        return Expire(*self._known()[:2], early=self.random.random() < 0.5)
