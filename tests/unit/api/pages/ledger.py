"""A fake ledger for the tests of the pages: it holds, sells and cancels everything, and keeps the records."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from api.schemas.purchase import Purchase, purchase_json
from tables.ids import TicketCodes
from tables.messages.commands import Cancel, Confirm, Hold
from tables.messages.outcomes import MoneyAmount, Outcome, OutcomeKind, OutcomeLine
from tables.messages.statuses import PurchaseStatus
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.ledger import outcome
from tests.unit.api.fakes.world import World

CODES = TicketCodes(b"k" * 32)
PRICE = Decimal("49.90")


@dataclass
class Ledger:
    """Each decision is a second after the last. Without ``records`` no decision becomes visible."""

    world: World
    records: bool = True
    made: dict[UUID, Outcome] = field(default_factory=dict)
    seconds: int = 0

    def __post_init__(self) -> None:
        self.world.ledger.rule = self.decide

    def decide(self, command: Any) -> Outcome:
        before = self.made.get(command.purchase)
        if before is not None and (isinstance(command, Hold) or before.request == command.request):
            return before
        self.seconds += 1
        found = replace_time(self._decide(command), self.seconds)
        self.made[command.purchase] = found
        if self.records:
            self.record(command.event, command.purchase)
        return found

    def record(self, event: UUID, purchase: UUID) -> None:
        """Make the decision visible in the projection."""
        self.world.sales.rows[event, purchase] = Purchase.model_validate_json(
            purchase_json(self.made[purchase], purchase)
        )

    def _decide(self, command: Any) -> Outcome:
        if isinstance(command, Hold):
            lines = tuple(OutcomeLine(line.ticket_type, "Stalls", line.quantity, PRICE) for line in command.lines)
            deadline = NOW + timedelta(seconds=command.seconds)
            return outcome(command, OutcomeKind.HELD, lines=lines, total=worth(lines), deadline=deadline)
        before = self.made[command.purchase]
        if isinstance(command, Confirm):
            lines = tuple(
                OutcomeLine(line.ticket_type, line.name, line.quantity, line.price, codes(command, line.quantity))
                for line in before.lines
            )
            return outcome(command, OutcomeKind.CONFIRMED, lines=lines, total=before.total, request=command.request)
        assert isinstance(command, Cancel)
        return self._cancel(command, before)

    def _cancel(self, command: Cancel, before: Outcome) -> Outcome:
        more = {"total": before.total, "request": command.request}
        if not command.lines:
            return outcome(command, OutcomeKind.CANCELLED, lines=before.lines, **more)
        [line], [asked] = before.lines, command.lines
        gone = (replace_count(line, asked.quantity),)
        left = (replace_count(line, line.quantity - asked.quantity),)
        return outcome(
            command,
            OutcomeKind.CANCELLED,
            lines=gone,
            left=left,
            returned=before.returned + asked.quantity,
            status=PurchaseStatus.CONFIRMED,
            **more,
        )


def worth(lines: tuple[OutcomeLine, ...]) -> MoneyAmount:
    return MoneyAmount(sum((line.price * line.quantity for line in lines), Decimal(0)), "EUR")


def codes(command: Any, count: int) -> tuple[str, ...]:
    return CODES.codes(command.event, command.purchase, 0, count)


def replace_count(line: OutcomeLine, count: int) -> OutcomeLine:
    return OutcomeLine(line.ticket_type, line.name, count, line.price, line.codes[:count])


def replace_time(found: Outcome, seconds: int) -> Outcome:
    return replace(found, at=NOW + timedelta(seconds=seconds))
