"""A ledger on a dictionary, and short ways to give it definitions and commands."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from tables.ids import TicketCodes
from tables.ledger.inventory import Inventory
from tables.ledger.ledger import INVENTORY_CACHE_MAX_EVENTS, Ledger
from tables.ledger.records import account_key, decode_account
from tables.messages.commands import (
    Buy,
    Cancel,
    Command,
    Confirm,
    DefineEvent,
    EventDefinition,
    Expire,
    ExtendHold,
    Hold,
    LimitHolds,
    TicketLine,
    TicketTypeDefinition,
)
from tables.messages.outcomes import Balance, EventFacts, Outcome, OutcomeKind
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus

NOW = 1_900_000_000_000
CODES = TicketCodes(b"thirty-two bytes for the tests..")

EVENT = UUID(int=0xE1)
OTHER_EVENT = UUID(int=0xE2)
FLOOR = UUID(int=0xF1)
STAND = UUID(int=0xF2)
BOX = UUID(int=0xF3)
ADA = UUID(int=0xA1)
BOB = UUID(int=0xA2)

Wanted = Iterable[tuple[UUID, int]]


def moment(at: int) -> datetime:
    """A log timestamp (ms) as a datetime."""
    return datetime.fromtimestamp(at // 1000, UTC).replace(microsecond=at % 1000 * 1000)


FACTS = EventFacts(
    title="A Night at the Opera",
    status="ACTIVE",
    starts_at=moment(NOW + 86_400_000),
    ends_at=moment(NOW + 90_000_000),
    time_zone="Europe/Rome",
    venue="La Scala",
    city="Milano",
    version=1,
)


def purchase_id(number: int) -> UUID:
    """The id of the n-th purchase."""
    return UUID(int=0xB000 + number)


def ticket_type(key: UUID = FLOOR, quantity: int = 10, **changes: Any) -> TicketTypeDefinition:
    """A ticket type at 49.90 EUR, with ``changes``."""
    plain = TicketTypeDefinition(
        id=key, name=f"type {key.int:X}", price=Decimal("49.90"), currency="EUR", quantity=quantity
    )
    return replace(plain, **changes)


def definition(*types: TicketTypeDefinition, **changes: Any) -> EventDefinition:
    """An active event that sells ``types``, with ``changes``."""
    plain = EventDefinition(
        title="A Night at the Opera",
        status=EventStatus.ACTIVE,
        starts_at=moment(NOW + 86_400_000),
        ends_at=moment(NOW + 90_000_000),
        time_zone="Europe/Rome",
        venue="La Scala",
        city="Milano",
        ticket_types=list(types),
    )
    return replace(plain, **changes)


def lines(wanted: Wanted) -> list[TicketLine]:
    """Lines of a command."""
    return [TicketLine(key, quantity) for key, quantity in wanted]


def ledger_on(table: dict[bytes, bytes], cached_events: int = INVENTORY_CACHE_MAX_EVENTS) -> Ledger:
    """A ledger on a dictionary."""

    def scan(prefix: bytes, after: bytes) -> list[tuple[bytes, bytes]]:
        return sorted(record for record in table.items() if record[0].startswith(prefix) and record[0] > after)

    return Ledger(lambda keys: [table.get(key) for key in keys], scan, CODES, cached_events)


class LedgerDriver:
    """Gives a ledger one command after the other, and stores what each ``batch`` of them changed."""

    def __init__(self, batch: int) -> None:
        self.table: dict[bytes, bytes] = {}
        self.ledger = ledger_on(self.table)
        self.at = NOW
        self.offset = -1
        self.following: list[Command] = []
        self._batch = batch

    def send(self, command: Command) -> Outcome | None:
        """Append a command to the log and carry it out; its first outcome, if any."""
        return next(iter(self.send_all(command)), None)

    def send_all(self, command: Command) -> tuple[Outcome, ...]:
        """Append a command to the log and carry it out; its outcomes."""
        self.offset += 1
        answer = self.ledger.apply(self.offset, self.at, command)
        self.following += answer.commands
        if (self.offset + 1) % self._batch == 0:
            self.store()
        return answer.outcomes

    def store(self) -> None:
        """End the batch, and start a new ledger on the table."""
        self.table |= self.ledger.take_purchases()
        self.table |= self.ledger.take_events()
        self.ledger = ledger_on(self.table)

    def define(
        self, *types: TicketTypeDefinition, version: int = 1, event: UUID = EVENT, **changes: Any
    ) -> Outcome | None:
        """Define an event."""
        return self.send(DefineEvent(event, version, definition(*types, **changes)))

    def buy(self, number: int, wanted: Wanted = ((FLOOR, 1),), *, account: UUID = ADA, event: UUID = EVENT) -> Outcome:
        """Buy."""
        return self._told(Buy(event, purchase_id(number), account, lines(wanted)))

    def hold(self, number: int, wanted: Wanted = ((FLOOR, 1),), *, account: UUID = ADA, seconds: int = 600) -> Outcome:
        """Hold."""
        return self._told(Hold(EVENT, purchase_id(number), account, lines(wanted), seconds))

    def limit_holds(
        self,
        seconds: int | None = None,
        tickets: int | None = None,
        cooldown: int | None = None,
        payment: int | None = None,
    ) -> None:
        """Limit the holds of the partition."""
        assert self.send(LimitHolds(seconds, tickets, cooldown, payment)) is None

    def confirm(self, number: int, *, account: UUID = ADA, payment: str | None = None) -> Outcome:
        """Confirm."""
        return self._told(Confirm(EVENT, purchase_id(number), account, payment=payment))

    def extend(self, number: int, seconds: int = 900) -> Outcome:
        """Lengthen a hold."""
        return self._told(ExtendHold(EVENT, purchase_id(number), seconds))

    def cancel(self, number: int, wanted: Wanted = (), *, account: UUID = ADA, request: UUID | None = None) -> Outcome:
        """Cancel."""
        return self._told(Cancel(EVENT, purchase_id(number), account, request, lines(wanted)))

    def expire(self, number: int, *, early: bool = False) -> Outcome:
        """Expire a hold, after its deadline or early."""
        return self._told(Expire(EVENT, purchase_id(number), early))

    def inventory(self) -> Inventory:
        """The event's inventory."""
        inventory = self.ledger.inventory(EVENT)
        assert inventory is not None
        return inventory

    def stock(self, key: UUID = FLOOR) -> tuple[int, int]:
        """The tickets of a type that are held, and those that are sold."""
        balance = next(each for each in self.inventory().balances() if each.ticket_type == key)
        return balance.held, balance.sold

    def counts(self, account: UUID = ADA) -> dict[UUID, int]:
        """The tickets that an account has of the event, by type. Ends the batch."""
        self.store()
        value = self.table.get(account_key(EVENT, account))
        return {} if value is None else dict(decode_account(value).counts)

    def _told(self, command: Command) -> Outcome:
        outcome = self.send(command)
        assert outcome is not None
        return outcome


def balance(key: UUID, quantity: int, held: int, sold: int) -> Balance:
    """A ticket type's stock as outcomes have it."""
    return Balance(key, quantity, held, sold)


def codes(number: int, *positions: int) -> tuple[str, ...]:
    """The ticket codes of a purchase's tickets at these positions."""
    return tuple(CODES.code(EVENT, purchase_id(number), position) for position in positions)


@dataclass(frozen=True)
class ExpectedRefusal:
    """The outcome of a refused command: its kind, its reason and the figures."""

    kind: OutcomeKind
    reason: Reason | None
    figures: dict[str, Any] = field(default_factory=dict)


def rejected(reason: Reason, **figures: Any) -> ExpectedRefusal:
    """A refused purchase or hold, which is recorded."""
    return ExpectedRefusal(OutcomeKind.REJECTED, reason, figures)


def refused(reason: Reason, **figures: Any) -> ExpectedRefusal:
    """Any other refused command, which changes nothing."""
    return ExpectedRefusal(OutcomeKind.REFUSED, reason, figures)


def refusal_of(outcome: Outcome) -> ExpectedRefusal:
    """The refusal that an outcome is; it must contain nothing else."""
    assert (outcome.lines, outcome.left, outcome.total, outcome.deadline) == ((), (), None, None)
    return ExpectedRefusal(outcome.kind, outcome.reason, outcome.figures)
