"""The ledger: decides by a rule of the test."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from api.auth.tokens import MaySee
from api.ports.ledger import BuyersCommand
from api.problems import Fault, Refused, Unavailable
from api.schemas.purchase import Purchase
from tables.messages.commands import Buy as Command
from tables.messages.commands import Hold, fingerprint
from tables.messages.outcomes import MoneyAmount, Outcome, OutcomeKind, OutcomeLine
from tables.messages.payment_events import PaymentEvent
from tables.messages.reasons import Reason
from tests.unit.api.fakes.accounts import FakeAccounts
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.events import FakeEvents


@dataclass
class FakeCatalogue:
    """Knows what the fakes know."""

    accounts: FakeAccounts
    events: FakeEvents
    forgotten: list[UUID] = field(default_factory=list)

    async def check_account(self, account: UUID) -> None:
        if account not in self.accounts.rows:
            raise Refused("unknown-account", "", Fault("there is no such account", "/accountId"))

    async def check_event(self, event: UUID, ticket_types: list[UUID]) -> None:
        known = self.events.tickets(event)
        if known is None:
            raise Refused("unknown-event", "", Fault("there is no such event", "/eventId"))
        ids = {ticket.id for ticket in known}
        faults = [Fault("no", f"/lines/{n}/ticketTypeId") for n, kind in enumerate(ticket_types) if kind not in ids]
        if faults:
            raise Refused("unknown-ticket-type", "", *faults)

    def forget(self, event: UUID) -> None:
        self.forgotten.append(event)


@dataclass
class FakeLedger:
    """Decides at once by ``rule``, or never; keeps what was handed in and how long the request would wait."""

    rule: Callable[[Any], Outcome | None] = lambda command: None
    handed_in: list[Any] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    down: bool = False
    full: bool = False
    later: Purchase | None = None
    fresh: dict[tuple[UUID, UUID], PaymentEvent] = field(default_factory=dict)

    def check_limit(self) -> None:
        if self.full:
            raise Refused("busy", headers={"Retry-After": "1"})

    async def carry_out(self, command: BuyersCommand, wait: float) -> Outcome | None:
        if self.down:
            raise Unavailable("kafka")
        self.check_limit()
        self.handed_in.append(command)
        self.waits.append(wait)
        return self.rule(command)

    async def watch(
        self,
        event: UUID,
        purchase: UUID,
        wait: float,
        look: Callable[[], Purchase | None],
        may_see: MaySee,
    ) -> Purchase | None:
        found = look()
        if found is not None and found.status != "pending":
            return found
        self.waits.append(wait)
        is_told = self.later is not None and self.later.account_id is not None and may_see(self.later.account_id)
        return self.later if is_told else look()

    def take_hold(self, event: UUID, purchase: UUID, may_see: MaySee) -> PaymentEvent | None:
        held = self.fresh.get((event, purchase))
        if held is None or held.account is None or not may_see(held.account):
            return None
        return self.fresh.pop((event, purchase))

    async def is_new(self, event: UUID, purchase: UUID) -> bool:
        return self.accepted(event, purchase) is None

    def accepted(self, event: UUID, purchase: UUID) -> UUID | None:
        orders = [command for command in self.handed_in if isinstance(command, (Command, Hold))]
        known = {(command.event, command.purchase): command.account for command in orders}
        found: UUID | None = known.get((event, purchase))
        return found


@dataclass
class FakeHolders:
    """Tickets held, by account."""

    tickets: dict[UUID, int] = field(default_factory=dict)

    async def held(self, account: UUID) -> int:
        return self.tickets.get(account, 0)


def confirmed(command: Command) -> Outcome:
    """The outcome that sells everything at 10.00 EUR."""
    lines = tuple(
        OutcomeLine(line.ticket_type, "Stalls", line.quantity, Decimal("10.00"), tuple("c" * line.quantity))
        for line in command.lines
    )
    total = MoneyAmount(sum((line.price * line.quantity for line in lines), Decimal(0)), "EUR")
    return outcome(command, OutcomeKind.CONFIRMED, lines=lines, total=total)


def rejected(reason: Reason, **figures: object) -> Callable[[Command], Outcome]:
    """A rule that rejects everything for one reason."""
    return lambda command: outcome(command, OutcomeKind.REJECTED, reason=reason, figures=figures)


def outcome(command: BuyersCommand, kind: OutcomeKind, **more: object) -> Outcome:
    """An outcome of the command."""
    fields: dict[str, object] = {
        "kind": kind,
        "event": command.event,
        "purchase": command.purchase,
        "account": command.account,
        "offset": 7,
        "at": NOW,
        "fingerprint": fingerprint(command.account, getattr(command, "lines", ()), "purchase"),
    }
    return Outcome(**fields | more)  # type: ignore[arg-type]
