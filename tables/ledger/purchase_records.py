"""A purchase in the table ``ledger``: its decisions, each with what it does to stock and seats.

Records are msgpack arrays that begin with a log offset (tables/ledger/records.py has their keys and decoders).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from tables.ledger.seat_moves import SeatMove, SeatTicket, seat_tickets, seats_left, seats_taken
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason
from tables.seating.rows import RowBits

_NO_PRICE: Final = Decimal(0)
_NO_BITS: Final[Mapping[str, list[RowBits]]] = {}
# Python looks up the member of an enumeration three times as slowly as a global name.
_CONFIRMED: Final = OutcomeKind.CONFIRMED


class DecisionLine(Struct, frozen=True, array_like=True):
    """Tickets of one type in a decision. ``first`` is the position of the first of them within the purchase."""

    ticket_type: UUID
    quantity: int
    price: Decimal
    name: str
    first: int


class Decision(Struct, frozen=True, array_like=True, omit_defaults=True):
    """The effect of one command on a purchase: ``held`` and ``sold`` are the signs (-1, 0, 1) of its lines' quantities.

    Recorded lines that are given back have neither name nor price: the first decision has them. ``exact`` is a reason
    that earlier versions can't decode; ``reason`` is then the nearest one that they can. ``due``: this hold must be
    paid before it is confirmed; ``payment`` is the reference of the payment with which it was. A hold that is
    lengthened gets a second decision of kind HELD, whose lines are not held once more.
    """

    offset: int
    at: int
    kind: OutcomeKind
    held: int = 0
    sold: int = 0
    lines: tuple[DecisionLine, ...] = ()
    reason: Reason | None = None
    figures: dict[str, Any] = {}
    deadline: int | None = None
    request: UUID | None = None
    exact: Reason | None = None
    due: bool = False
    payment: str | None = None

    @property
    def exact_reason(self) -> Reason | None:
        """The reason, also where earlier versions can't decode it."""
        return self.exact or self.reason


def refused(offset: int, at: int, reason: Reason, figures: dict[str, Any] | None = None) -> Decision:
    """The decision on a command that is refused, which changes nothing."""
    return Decision(offset, at, OutcomeKind.REFUSED, reason=reason, figures=figures or {})


class SeatedDecision(Struct, frozen=True, gc=False):
    """A decision about seats, and what it does to them.

    ``chosen`` has the bits of the seats that it takes, by row of each section. It is empty for one that gives seats
    back. A refused exchange is recorded, too: the seats that were free then are known then alone.
    """

    decision: Decision
    move: SeatMove
    chosen: Mapping[str, list[RowBits]] = _NO_BITS


Decided = Decision | SeatedDecision


def parts_of(decided: Decided) -> tuple[Decision, SeatMove | None, Mapping[str, list[RowBits]]]:
    """A decision, what it does to seats if it is about seats, and the bits that it takes."""
    if isinstance(decided, SeatedDecision):
        return decided.decision, decided.move, decided.chosen
    return decided, None, _NO_BITS


class PurchaseRecord(Struct, frozen=True, array_like=True):
    """A purchase and its decisions, from which each command's outcome can be built again.

    Their number is bounded (``PURCHASE_MAX_CHANGES`` in tables/ledger/purchase_state.py).
    """

    offset: int
    account: UUID
    fingerprint: str
    currency: str
    history: tuple[Decision, ...]

    def and_then(self, decision: Decision, _: SeatMove | None = None) -> "PurchaseRecord":
        """The purchase with one more decision. Only a purchase of seats has moves."""
        return replace(self, offset=decision.offset, history=(*self.history, without_names(decision)))

    def lines_of(self, decision: Decision) -> tuple[DecisionLine, ...]:
        """The lines of a decision on this purchase, with names and prices."""
        if not _lacks_names(decision):
            return decision.lines
        first = {line.ticket_type: line for line in self.history[0].lines}
        return tuple(
            [replace(first[line.ticket_type], quantity=line.quantity, first=line.first) for line in decision.lines]
        )

    def reason_of(self, decision: Decision) -> Reason | None:
        return decision.exact_reason

    def before(self, offset: int) -> "PurchaseRecord | None":
        """The purchase as the command at ``offset`` finds it; None if that command makes it."""
        if self.offset < offset:
            return self
        history = tuple(decision for decision in self.history if decision.offset < offset)
        return replace(self, offset=history[-1].offset, history=history) if history else None

    def decided_at(self, offset: int) -> Decision | None:
        """The recorded decision on the command at ``offset``, if any."""
        for decision in reversed(self.history):
            if decision.offset == offset:
                return decision
        return None


class SeatEffect(NamedTuple):
    """What a decision does to seats: it frees ``given`` and holds or sells ``taken``.

    ``plan`` is the number of the plan by which it takes seats that the purchase didn't have; 0 if it takes none.
    """

    plan: int
    given: tuple[str, ...]
    taken: tuple[str, ...]
    sold: bool


class SeatedPurchase(PurchaseRecord, frozen=True, array_like=True):
    """A purchase of seats, or one that was refused because of seats. Any other purchase's record lacks ``moves``."""

    moves: tuple[SeatMove, ...] = ()

    def and_then(self, decision: Decision, move: SeatMove | None = None) -> "SeatedPurchase":
        """The purchase with one more decision, and what that does to its seats."""
        moves = self.moves if move is None else (*self.moves, move)
        history = (*self.history, without_names(decision))
        return replace(self, offset=decision.offset, history=history, moves=moves)

    def before(self, offset: int) -> "PurchaseRecord | None":
        """The purchase as the command at ``offset`` finds it; None if that command makes it."""
        past = PurchaseRecord.before(self, offset)
        if past is None or past is self:
            return past
        return replace(past, moves=tuple([move for move in self.moves if move.offset < offset]))

    def reason_of(self, decision: Decision) -> Reason | None:
        """The reason of a decision, also where earlier versions can't decode it."""
        for move in self.moves:
            if move.offset == decision.offset and move.word:
                return Reason(move.word)
        return decision.exact_reason

    def tickets(self) -> dict[str, SeatTicket]:
        """The tickets of the seats that it ever had, in the order of their positions."""
        firsts = [(line.ticket_type, line.first, line.quantity) for line in self.history[0].lines]
        return seat_tickets(self.moves, firsts)

    def seats(self) -> dict[str, SeatTicket]:
        """The tickets of the seats that it has, in the order of their positions; none once it has ended."""
        if len(self.moves) == 1:
            return self.tickets()
        left = seats_left(self.moves)
        return {name: ticket for name, ticket in self.tickets().items() if name in left}

    def seat_effect(self, offset: int) -> SeatEffect | None:
        """What the decision at ``offset`` does to seats; None if it is not about seats."""
        decision = self.decided_at(offset)
        sold = decision is not None and decision.kind is _CONFIRMED
        for move in self.moves:
            if move.offset == offset:
                return SeatEffect(move.plan, move.given, seats_taken(move), sold)
        if not sold:
            return None
        names = tuple(seats_left([move for move in self.moves if move.offset < offset]))
        return SeatEffect(0, names, names, sold)


def without_names(decision: Decision) -> Decision:
    """A decision as it is recorded. A confirmation keeps names and prices: earlier versions read them there."""
    if not _gives_back(decision) or _lacks_names(decision):
        return decision
    lines = [DecisionLine(line.ticket_type, line.quantity, _NO_PRICE, "", line.first) for line in decision.lines]
    return replace(decision, lines=tuple(lines))


def _lacks_names(decision: Decision) -> bool:
    """Whether names and prices were left out. For free tickets without a name both forms are the same."""
    return _gives_back(decision) and all(not line.name and not line.price for line in decision.lines)


def _gives_back(decision: Decision) -> bool:
    """Whether fewer tickets are out after it. Compares numbers: looking a kind up in a set takes four times as long."""
    return decision.held + decision.sold < 0
