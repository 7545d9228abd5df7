"""One event's past, decided once more from the command log: what each command met, and what became of it."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct

from connect.partitioning import home_of
from ops.command_log import acknowledged, log_begin, read_commands
from ops.decision_rules import recorded_rule, rule_of
from ops.scratch import Scratch
from settings import Settings
from streams.inventory.snapshots import Snapshot, newest, snapshots_of
from tables.ids import TicketCodes
from tables.ledger.as_of import AsOf
from tables.ledger.event_replay import EventReplay, LogCommand
from tables.ledger.purchase_records import Decision, PurchaseRecord
from tables.ledger.views import AccountView, EventView, TicketTypeView
from tables.messages.commands import Buy, BuyerCommand, EndPurchases, EventDefinition, Hold, LimitHolds
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.reasons import Reason

Choose = Callable[[Path | None, int, int, AsOf], Snapshot | None]


class RecordedDecision(Struct, frozen=True, rename="camel"):
    """A decision on a purchase, with what the command met: stock, the account's tickets, and the limits in force.

    Of a decision from before a snapshot only the decision itself is known.
    """

    offset: int
    at: int
    command: str | None
    outcome: OutcomeKind
    reason: Reason | None
    rule: str
    figures: dict[str, Any]
    stock: EventView | None = None
    account: AccountView | None = None
    limits: EventDefinition | None = None
    hold_limits: LimitHolds | None = None


class Past(NamedTuple):
    """An event at a place of its log, ``at`` a time (ms), the commands from there up to a moment, and its replay."""

    at: int
    log: Iterator[LogCommand]
    replay: EventReplay


@contextmanager
def open_past(now: Settings, event: UUID, as_of: AsOf, choose: Choose = newest) -> Iterator[Past]:
    """An event's past up to a moment, from the beginning of the log, or from the snapshot that ``choose`` gives.

    Raises KafkaError, SnapshotDamaged, and LogCut while the log is read.
    """
    partition = home_of(event, now.partitions)
    snapshot = choose(now.ledger_snapshots, partition, log_begin(now, partition), as_of)
    begin = 0 if snapshot is None else snapshot.offset + 1
    with (
        tempfile.TemporaryDirectory(prefix="turnstile-history-") as folder,
        closing(Scratch(Path(folder))) as table,
        closing(read_commands(now, partition, begin, _end(now, partition, as_of))) as log,
    ):
        if snapshot is not None:
            table.write(snapshot.rows(event))
        until = takewhile(lambda each: as_of.includes(each.offset, each.at), log)
        replay = EventReplay(table, event, TicketCodes.of_secret(now.ticket_key.get_secret_value()))
        yield Past(snapshot.at if snapshot else 0, until, replay)


def _end(now: Settings, partition: int, as_of: AsOf) -> int:
    end = acknowledged(now).get(partition, 0)
    return end if as_of.offset is None else min(end, as_of.offset + 1)


def event_of(now: Settings, purchase: UUID) -> UUID | None:
    """The event of a purchase, by the first command in the log that names it, or by a snapshot. Raises KafkaError."""
    for partition, end in sorted(acknowledged(now).items()):
        with closing(read_commands(now, partition, log_begin(now, partition), end)) as log:
            for each in log:
                if isinstance(each.command, Buy | Hold) and each.command.purchase == purchase:
                    return each.command.event
        for snapshot in snapshots_of(now.ledger_snapshots, partition)[:1]:
            if event := snapshot.event_of(purchase):
                return event
    return None


def life_of(purchase: UUID, log: Iterable[LogCommand], replay: EventReplay) -> Iterator[RecordedDecision]:
    """Every decision on a purchase, in the order of the log; first those that the replay's table begins with."""
    record = replay.purchase(purchase)
    if record is not None:
        yield from (_recorded(record, decision) for decision in record.history)
    for each in log:
        before = _Before.of(each, purchase, replay)
        for outcome in replay.apply(each):
            if outcome.purchase == purchase and before is not None:
                yield _decided(each, outcome, before)


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


def _recorded(record: PurchaseRecord, decision: Decision) -> RecordedDecision:
    reason = record.reason_of(decision)
    rule = recorded_rule(decision.kind, reason)
    return RecordedDecision(decision.offset, decision.at, None, decision.kind, reason, rule, decision.figures)


def _decided(each: LogCommand, outcome: Outcome, before: _Before) -> RecordedDecision:
    return RecordedDecision(
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
