"""One event's past, decided once more from the command log: what each command met, and what became of it.

Only the commands of the event are carried out, and the partition's limits on holds, since nothing else decides it.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct

from connect.partitioning import home_of
from ops.as_of import AsOf
from ops.command_log import LogCommand, acknowledged, read_commands
from ops.decision_rules import rule_of
from ops.scratch import Scratch
from settings import Settings
from tables.errors import MalformedCommand
from tables.ledger.hold_limits import HOLD_LIMITS_KEY, decode_limits
from tables.ledger.ledger import Ledger
from tables.ledger.records import PurchaseRecord, account_key, decode_account, decode_purchase, purchase_key
from tables.ledger.ticket_codes import TicketCodes
from tables.ledger.views import AccountView, EventView, TicketTypeView, account_view, event_view
from tables.messages.commands import Buy, BuyerCommand, EndPurchases, EventDefinition, Hold, LimitHolds
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.reasons import Reason


class Step(Struct, frozen=True, rename="camel"):
    """A decision on a purchase, with what the command met: stock, the account's tickets, and the limits in force."""

    offset: int
    at: int
    command: str
    outcome: OutcomeKind
    reason: Reason | None
    rule: str
    figures: dict[str, Any]
    stock: EventView | None
    account: AccountView | None
    limits: EventDefinition | None
    hold_limits: LimitHolds


class EventReplay:
    """The ledger of one event on a scratch table."""

    def __init__(self, table: Scratch, event: UUID, codes: TicketCodes) -> None:
        self.event = event
        self._table = table
        self._ledger = Ledger(table.load, table.scan, codes)

    def apply(self, each: LogCommand) -> tuple[Outcome, ...]:
        """Carry out a command of the log; nothing if it is another event's, or became a dead letter."""
        if not isinstance(each.command, LimitHolds) and each.command.event != self.event:
            return ()
        try:
            self._ledger.check(each.offset, each.command)
        except MalformedCommand:
            return ()
        result = self._ledger.apply(each.offset, each.at, each.command)
        self._table.write((self._ledger.take_purchases() | self._ledger.take_events()).items())
        return result.outcomes

    def stock(self, at: int) -> EventView | None:
        """The event's stock; ``at`` (ms) says which sale periods have begun."""
        inventory = self._ledger.inventory(self.event)
        return None if inventory is None else event_view(inventory, at)

    def definition(self) -> EventDefinition | None:
        """The definition by which it sells."""
        inventory = self._ledger.inventory(self.event)
        return None if inventory is None else inventory.definition

    def purchase(self, purchase: UUID) -> PurchaseRecord | None:
        """The purchase's record."""
        value = self._load(purchase_key(self.event, purchase))
        return None if value is None else decode_purchase(value)

    def account(self, account: UUID) -> AccountView | None:
        """What an account has of the event."""
        value = self._load(account_key(self.event, account))
        return None if value is None else account_view(self.event, account, decode_account(value))

    def hold_limits(self) -> LimitHolds:
        """The limits on holds that apply."""
        value = self._load(HOLD_LIMITS_KEY)
        return decode_limits(value).command()

    def _load(self, key: bytes) -> bytes | None:
        [value] = self._table.load([key])
        return value


@contextmanager
def open_replay(now: Settings, event: UUID, as_of: AsOf) -> Iterator[tuple[Iterator[LogCommand], EventReplay]]:
    """The log of the event's partition up to a moment, and a replay that has carried out none of it.

    Raises KafkaError, and LogCut while the log is read.
    """
    partition = home_of(event, now.partitions)
    codes = TicketCodes.of_secret(now.ticket_key.get_secret_value())
    with (
        tempfile.TemporaryDirectory(prefix="turnstile-history-") as folder,
        closing(Scratch(Path(folder))) as table,
        closing(read_commands(now, partition, acknowledged(now).get(partition, 0))) as log,
    ):
        until = takewhile(lambda each: as_of.includes(each.offset, each.at), log)
        yield until, EventReplay(table, event, codes)


def event_of(now: Settings, purchase: UUID) -> UUID | None:
    """The event of a purchase, by the first command in the log that names it. Raises LogCut, KafkaError."""
    for partition, end in sorted(acknowledged(now).items()):
        with closing(read_commands(now, partition, end)) as log:
            for each in log:
                if isinstance(each.command, Buy | Hold) and each.command.purchase == purchase:
                    return each.command.event
    return None


def life_of(purchase: UUID, log: Iterable[LogCommand], replay: EventReplay) -> Iterator[Step]:
    """Every decision on a purchase, in the order of the log."""
    for each in log:
        before = _Before.of(each, purchase, replay)
        for outcome in replay.apply(each):
            if outcome.purchase == purchase and before is not None:
                yield _step(each, outcome, before)


class _Before(NamedTuple):
    """What a command met."""

    stock: EventView | None
    account: AccountView | None
    limits: EventDefinition | None
    hold_limits: LimitHolds

    @classmethod
    def of(cls, each: LogCommand, purchase: UUID, replay: EventReplay) -> "_Before | None":
        """None for a command that can't concern the purchase."""
        command = each.command
        if isinstance(command, BuyerCommand):
            if command.purchase != purchase:
                return None
        elif not isinstance(command, EndPurchases):
            return None
        known = replay.purchase(purchase)
        account = known.account if known else getattr(command, "account", None)
        has = None if account is None else replay.account(account)
        return cls(replay.stock(each.at), has, replay.definition(), replay.hold_limits())


def _step(each: LogCommand, outcome: Outcome, before: _Before) -> Step:
    return Step(
        offset=each.offset,
        at=each.at,
        command=str(each.command.__struct_config__.tag),
        outcome=outcome.kind,
        reason=outcome.reason,
        rule=rule_of(each.command, outcome),
        figures=outcome.figures,
        stock=before.stock,
        account=before.account,
        limits=before.limits,
        hold_limits=before.hold_limits,
    )


def stock_text(stock: TicketTypeView) -> str:
    """The figures of a ticket type in one line."""
    return f"{stock.quantity} offered, {stock.held} held, {stock.sold} sold, {stock.available} left"
