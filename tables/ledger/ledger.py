"""The ledger of one partition: commands in log order in, records and outcomes out, with effects exactly once.

A command whose decision is on record is not decided again: the recorded decision gives the same record and outcome. If
the event or the account does not include that decision yet, it is booked there. So a replay repairs whatever part of
the writes survived a crash. Rules and limits: docs/ledger.md.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final
from uuid import UUID

from tables.errors import InvariantBroken, MalformedCommand
from tables.ids import TicketCodes
from tables.ledger.decisions import decide
from tables.ledger.event_cancellation import EventCancellation, first_step
from tables.ledger.hold_limits import HoldContext
from tables.ledger.inventory import Inventory
from tables.ledger.ledger_records import AccountTickets, LedgerRecords
from tables.ledger.outcome_builder import (
    CommandResult,
    DecisionContext,
    EncodedOutcome,
    EncodedResult,
    OutcomeBuilder,
)
from tables.ledger.purchase_records import Decision, PurchaseRecord, SeatedPurchase, parts_of
from tables.ledger.records import NOTHING_HELD, account_key, purchase_key
from tables.ledger.seat_moves import SeatMove
from tables.ledger.seat_records import Load, Scan
from tables.messages.commands import (
    REQUEST_REQUIRED,
    Buy,
    BuyerCommand,
    Cancel,
    Command,
    Confirm,
    DefineEvent,
    EndPurchases,
    Exchange,
    Expire,
    ExtendHold,
    Hold,
    LimitHolds,
    buyer_fingerprint,
)
from tables.messages.outcomes import OutcomeKind
from tables.messages.sections import DefineSection
from tables.seating.rows import RowBits

INVENTORY_CACHE_MAX_EVENTS: Final = 2_000
_NOTHING: Final = CommandResult()
# Python looks up the member of an enumeration three times as slowly as a global name.
_REFUSED: Final = OutcomeKind.REFUSED


class Ledger:
    """Decides the commands of one partition. ``load`` and ``scan`` read records of that partition's table.

    ``take_purchases`` and ``take_events`` return the records that the commands since the last call have changed. They
    never include an effect of a command without the purchase record of it.
    """

    def __init__(
        self, load: Load, scan: Scan, codes: TicketCodes, cached_events: int = INVENTORY_CACHE_MAX_EVENTS
    ) -> None:
        self._records = LedgerRecords(load, scan, cached_events)
        self._outcomes = OutcomeBuilder(codes)
        self._cancellation = EventCancellation(self._records, self._outcomes)

    def read_ahead(self, commands: Iterable[Command]) -> None:
        """Load in one read the records that a batch of commands will need."""
        keys: list[bytes] = []
        for command in commands:
            if isinstance(command, (Buy, Hold)):
                keys += purchase_key(command.event, command.purchase), account_key(command.event, command.account)
            elif isinstance(command, (Confirm, Cancel, Exchange, Expire, ExtendHold)):
                keys.append(purchase_key(command.event, command.purchase))
        self._records.read_ahead(keys)

    def check(self, offset: int, command: Command) -> None:
        """Raise MalformedCommand for a partial cancel without ``request``: its repeat could not be recognized.

        One that an earlier version decided at ``offset`` is accepted.
        """
        if isinstance(command, Cancel) and not command.is_repeatable:
            record = self._records.purchase(purchase_key(command.event, command.purchase))
            if record is None or record.decided_at(offset) is None:
                raise MalformedCommand(REQUEST_REQUIRED)

    def apply(self, offset: int, at: int, command: Command) -> CommandResult:
        """Carry out the command at ``offset``, appended at ``at`` (ms)."""
        if isinstance(command, DefineEvent):
            return self._define(offset, at, command)
        if isinstance(command, EndPurchases):
            return self._cancellation.carry_out(offset, at, command)
        if isinstance(command, LimitHolds):
            self._records.limit_holds(offset, command)
            return _NOTHING
        if isinstance(command, DefineSection):
            self._records.seats.define(offset, command)
            return _NOTHING
        return CommandResult((self._outcomes.build(*self._apply_to_purchase(offset, at, command)),))

    def apply_encoded(self, offset: int, at: int, command: Command) -> EncodedResult:
        """``apply`` for callers that only pass the outcomes on."""
        if isinstance(command, (DefineEvent, DefineSection, EndPurchases, LimitHolds)):
            result = self.apply(offset, at, command)
            return EncodedResult(tuple([EncodedOutcome.of(each) for each in result.outcomes]), result.commands)
        return EncodedResult((self._outcomes.encode(*self._apply_to_purchase(offset, at, command)),))

    def _apply_to_purchase(
        self, offset: int, at: int, command: BuyerCommand
    ) -> tuple[DecisionContext, Inventory | None]:
        """Carry out a command on a purchase. Gives what its outcome is made of."""
        records = self._records
        inventory = records.inventory(command.event)
        key = purchase_key(command.event, command.purchase)
        record = records.purchase(key)
        decision = record.decided_at(offset) if record else None
        account = None
        chosen: Mapping[str, list[RowBits]] = {}
        is_recorded = decision is not None
        if decision is None:
            known = record.before(offset) if record else None
            if isinstance(command, (Buy, Hold)):
                account = records.account(command.event, command.account)
            decision, move, chosen = self._decide(offset, at, command, known, inventory, account)
            is_recorded = decision.offset == offset and (decision.kind is not _REFUSED or move is not None)
            record = _extended(command, record, decision, move, inventory) if is_recorded else known
        repeated = decision.offset != offset
        if record is not None and is_recorded:
            account = account or records.account(command.event, record.account)
            records.book(key, inventory, record, decision, account, chosen)
        body = _fingerprint(command, record, decision)
        request = command.request if isinstance(command, (Confirm, Cancel, Exchange)) else None
        extended = isinstance(command, ExtendHold) and decision.kind is OutcomeKind.HELD
        told = DecisionContext(command.event, command.purchase, record, decision, body, repeated, request, extended)
        return told, inventory

    @property
    def changed_events(self) -> Collection[Inventory]:
        """The events whose records ``take_events`` will return."""
        return self._records.changed_events

    def take_purchases(self) -> dict[bytes, bytes]:
        """The purchase records changed since the last call."""
        return self._records.take_purchases()

    def take_events(self) -> dict[bytes, bytes]:
        """The account and event records changed since the last call, and the hold limits."""
        return self._records.take_events()

    def inventory(self, event: UUID) -> Inventory | None:
        """The event after the commands applied so far."""
        return self._records.inventory(event)

    def _define(self, offset: int, at: int, command: DefineEvent) -> CommandResult:
        inventory = self._records.inventory(command.event)
        if inventory is None:
            inventory = Inventory(command.event, offset, command.version, command.definition)
        elif inventory.offset < offset:
            if not inventory.define(offset, command.version, command.definition):
                return _NOTHING
        elif inventory.version < command.version:
            raise InvariantBroken(f"event {command.event} is at offset {inventory.offset} but lacks that of {offset}")
        self._records.add_event(inventory)
        return CommandResult((self._outcomes.changed(inventory, offset, at),), first_step(inventory, command.version))

    def _decide(
        self,
        offset: int,
        at: int,
        command: BuyerCommand,
        known: PurchaseRecord | None,
        inventory: Inventory | None,
        account: AccountTickets | None,
    ) -> tuple[Decision, SeatMove | None, Mapping[str, list[RowBits]]]:
        holder = None
        if account is not None and (isinstance(command, Hold) or (inventory is not None and inventory.is_paid_online)):
            holder = HoldContext(self._records.hold_limits(), account.holding or NOTHING_HELD)
        hall = None
        if inventory is not None and inventory.definition.plan is not None:
            hall = self._records.seats.hall(command.event, inventory.definition.plan)
        counts = account.counts if account else {}
        decision, move, chosen = parts_of(decide(inventory, known, counts, command, offset, at, holder, hall))
        changes = decision.offset == offset and (decision.lines or move is not None)
        if changes and inventory is not None and inventory.offset >= offset:
            raise InvariantBroken(f"event {command.event} shows offset {inventory.offset}, but {offset} is undecided")
        return decision, move, chosen


def _extended(
    command: BuyerCommand,
    record: PurchaseRecord | None,
    decision: Decision,
    move: SeatMove | None,
    inventory: Inventory | None,
) -> PurchaseRecord:
    """The purchase's record with a new decision."""
    if record is not None:
        return record.and_then(decision, move)
    if not isinstance(command, (Buy, Hold)):
        raise InvariantBroken(f"a {type(command).__name__} made a purchase of {command.purchase}")
    currency = ""
    if decision.lines and inventory is not None:
        currency = inventory.stock[decision.lines[0].ticket_type.int].definition.currency
    body = buyer_fingerprint(command)
    if move is not None:
        return SeatedPurchase(decision.offset, command.account, body, currency, (decision,), (move,))
    return PurchaseRecord(decision.offset, command.account, body, currency, (decision,))


def _fingerprint(command: BuyerCommand, record: PurchaseRecord | None, decision: Decision) -> str:
    if decision.kind is _REFUSED and isinstance(command, (Buy, Hold)):
        return buyer_fingerprint(command)
    return record.fingerprint if record else ""
