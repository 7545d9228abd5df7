"""The purchases and outcomes of the reference model, and what it reads from a command's body."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lab.chaos.reference_rules import HOLD_DEFAULT_S, Json

Lines = tuple[tuple[str, int], ...]
# A ticket's type and its position within the purchase.
Tickets = list[tuple[str, int]]


@dataclass(frozen=True)
class ModelCommand:
    """A command with its place in the log, and the time (ms) at which it was appended."""

    partition: int
    offset: int
    at: int
    body: Json


@dataclass(frozen=True)
class ModelOutcome:
    """The outcome of a command; ``offset`` is that of the command that decided. Lines are sorted by ticket type.

    ``payment`` is what a purchase that is paid online is worth then, ``reference`` that of the payment with which it
    was confirmed. ``status`` is the purchase's status afterwards, ``tickets`` are those of ``lines``: neither is
    compared.
    """

    partition: int
    event: str
    purchase: str | None
    offset: int
    kind: str
    reason: str | None = None
    figures: tuple[tuple[str, Any], ...] = ()
    lines: Lines = ()
    left: Lines = ()
    repeated: bool = False
    payment: Decimal | None = None
    reference: str | None = None
    seats: tuple[str, ...] = ()
    status: str | None = field(default=None, compare=False)
    tickets: tuple[tuple[str, int], ...] = field(default=(), compare=False)


@dataclass
class ModelPurchase:
    """One purchase: the request's body, every decision on it, and the tickets that it still has.

    ``prices`` has those of a purchase that is paid online; it is empty for any other.
    """

    event: str
    id: str
    body: tuple[str, str, Lines]
    status: str
    tickets: Tickets
    history: list[ModelOutcome]
    deadline: float = 0
    # Whether the account's held tickets include it: it was made after the partition's first limits.
    counted: bool = False
    prices: dict[str, Decimal] = field(default_factory=dict)
    currency: str = ""
    requests: dict[str, ModelOutcome] = field(default_factory=dict)
    # The seats of tickets by position, and the next position.
    seats: dict[int, str] = field(default_factory=dict)
    end: int = 0
    extended: ModelOutcome | None = None

    @property
    def account(self) -> str:
        """Whose it is."""
        return self.body[1]

    @property
    def lines(self) -> Lines:
        """The tickets that it still has, by type."""
        return lines_of(self.tickets)

    @property
    def seated(self) -> set[str]:
        """The ticket types of which it ever had seats."""
        return {key for outcome in self.history for key, position in outcome.tickets if position in self.seats}

    @property
    def names(self) -> list[str]:
        """The seats that it still has."""
        return self.names_of(self.tickets)

    def names_of(self, tickets: Tickets) -> list[str]:
        """The seats of these of its tickets."""
        return [self.seats[position] for _, position in tickets if position in self.seats]

    def ticket_of(self, name: str) -> tuple[str, int]:
        """The ticket of a seat that it still has."""
        return next(ticket for ticket in self.tickets if self.seats.get(ticket[1]) == name)

    def worth(self, tickets: Tickets) -> Decimal | None:
        """What these of its tickets are worth; None unless it is paid online."""
        return sum((self.prices[key] for key, _ in tickets), Decimal(0)) if self.prices else None


def new_purchase(
    key: tuple[str, str], body: tuple[str, str, Lines], status: str, wanted: Counter[str], seats: dict[str, list[str]]
) -> ModelPurchase:
    """A purchase that is accepted, with the names of its ``seats`` by ticket type."""
    types = [ticket_type for ticket_type, count in wanted.items() for _ in range(count)]
    tickets = [(ticket_type, position) for position, ticket_type in enumerate(types)]
    row = ModelPurchase(*key, body, status, tickets, [], end=len(tickets))
    for ticket_type, names in seats.items():
        row.seats |= dict(zip((place for kind, place in tickets if kind == ticket_type), names, strict=True))
    return row


def outcome_of(
    command: ModelCommand,
    kind: str,
    reason: str | None = None,
    figures: Json | None = None,
    *,
    purchase: str | None = None,
    tickets: Iterable[tuple[str, int]] = (),
    seats: Iterable[str] = (),
    **more: Any,
) -> ModelOutcome:
    """The outcome of a command, by default about the purchase that it names; ``more`` are further fields."""
    return ModelOutcome(
        partition=command.partition,
        event=command.body["event"],
        purchase=purchase or command.body["purchase"],
        offset=command.offset,
        kind=kind,
        reason=reason,
        figures=tuple(sorted(hashable(figures or {}).items())),
        lines=lines_of(tickets),
        tickets=tuple(tickets),
        seats=tuple(sorted(seats)),
        **more,
    )


def lines_of(tickets: Iterable[tuple[str, int]]) -> Lines:
    """The number of tickets by type, sorted."""
    return tuple(sorted(Counter(key for key, _ in tickets).items()))


def wanted_of(lines: Iterable[Json]) -> Counter[str]:
    """The quantities of a command's lines by ticket type, in the order of their first mention."""
    wanted = Counter[str]()
    for line in lines:
        wanted[line["ticketType"]] += line["quantity"]
    return wanted


def last_tickets(tickets: Tickets, wanted: Counter[str]) -> Tickets:
    """The last tickets of each wanted type; none at all if there are fewer of one."""
    chosen: Tickets = []
    for key, count in wanted.items():
        mine = [ticket for ticket in tickets if ticket[0] == key]
        if len(mine) < count:
            return []
        chosen += mine[len(mine) - count :]
    return chosen


def hashable(figures: Json) -> Json:
    """The figures with tuples for lists."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in figures.items()}


def request_kind(body: Json) -> str:
    """The kind of request, with the seats that it asks for."""
    asked = sorted(
        str((line["ticketType"], sorted(line.get("seats", ())), sorted((line.get("best") or {}).items())))
        for line in body["lines"]
        if line.get("seats") or line.get("best") is not None
    )
    return _hold_kind(body) + "".join(asked)


def _hold_kind(body: Json) -> str:
    """A hold's seconds are part of it, unless the operator's setting chose them."""
    if body["kind"] != "hold":
        return "purchase"
    return "hold" if body.get("byDefault") else f"hold {body.get('seconds', HOLD_DEFAULT_S)}"
