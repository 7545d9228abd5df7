"""The ledger of one partition: commands in log order in, records and outcomes out, with effects once.

A command whose decision is on record is not decided again: record and outcome are given again, as
they were. A recorded decision that the event or the account does not show yet is booked there. So a
replay repairs whatever prefix of the writes a crash let through. Rules and limits: docs/ledger.md.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import replace

from tables.codes import TicketCodes
from tables.commands import BuyerCommand, Command, DefineEvent, Hold, Purchase
from tables.decisions import buyer_fingerprint, decide
from tables.errors import InvariantBroken
from tables.inventory import Inventory
from tables.outcomes import Balance, Money, Outcome, OutcomeKind, OutcomeLine
from tables.records import (
    AccountRecord,
    Bought,
    Decision,
    PurchaseRecord,
    account_key,
    decode_account,
    decode_event,
    decode_purchase,
    encode_record,
    event_key,
    purchase_key,
)
from tables.standing import Standing, standing

Load = Callable[[bytes], bytes | None]
MOST_INVENTORIES = 2_000


class Account:
    """The working copy of an account's record within one event."""

    __slots__ = ("counts", "offset")

    def __init__(self, record: AccountRecord | None) -> None:
        self.offset = record.offset if record else -1
        self.counts = dict(record.counts) if record else {}

    def apply(self, decision: Decision) -> None:
        """Book what a decision gives to the account or takes from it.

        A type that it has no more of goes at once: the record's bytes must not tell where batches ended.
        """
        sign = decision.held + decision.sold
        for line in decision.lines:
            count = self.counts.get(line.ticket_type, 0) + sign * line.quantity
            if count:
                self.counts[line.ticket_type] = count
            else:
                self.counts.pop(line.ticket_type, None)
        self.offset = decision.offset

    def record(self) -> bytes:
        """The account's record as the table keeps it."""
        return encode_record(AccountRecord(self.offset, list(self.counts.items())))


class Ledger:
    """Decides the commands of one partition. ``load`` reads a record of that partition's table.

    What the commands of a batch changed is taken with ``take_purchases`` and ``take_events``; nothing
    that they return was changed by a command that is not stored with it.
    """

    def __init__(self, load: Load, codes: TicketCodes) -> None:
        self._load = load
        self._codes = codes
        self._inventories: dict[UUID, Inventory] = {}
        self._purchases: dict[bytes, PurchaseRecord] = {}
        self._accounts: dict[bytes, Account] = {}
        self._booked: dict[bytes, Account] = {}
        self._touched: dict[UUID, Inventory] = {}

    def apply(self, offset: int, at: int, command: Command) -> Outcome | None:
        """Carry out the command at ``offset``, appended at ``at`` (ms). None where there is nothing to say."""
        if isinstance(command, DefineEvent):
            return self._define(offset, at, command)
        key = purchase_key(command.event, command.purchase)
        record = self._purchase(key)
        decision = record.decided_at(offset) if record else None
        if decision is None:
            known = record.before(offset) if record else None
            decision = self._decide(offset, at, command, known)
            if decision.offset == offset and decision.kind is not OutcomeKind.REFUSED:
                record = self._extended(command, record, decision)
            else:
                record = known
        if record is not None and decision.offset == offset and decision.kind is not OutcomeKind.REFUSED:
            self._purchases[key] = record
            self._book(command.event, record.account, decision)
        return self._outcome(command, record, decision, repeated=decision.offset != offset)

    def take_purchases(self) -> dict[bytes, bytes]:
        """The purchase records written since the last call."""
        taken = {key: encode_record(record) for key, record in self._purchases.items()}
        self._purchases.clear()
        return taken

    def take_events(self) -> dict[bytes, bytes]:
        """The account and event records written since the last call."""
        taken = {key: account.record() for key, account in self._booked.items()}
        taken |= {event_key(event): inventory.record() for event, inventory in self._touched.items()}
        self._accounts.clear()
        self._booked.clear()
        self._touched.clear()
        while len(self._inventories) > MOST_INVENTORIES:
            del self._inventories[next(iter(self._inventories))]
        return taken

    def inventory(self, event: UUID) -> Inventory | None:
        """The event as it stands after the commands applied so far."""
        known = self._inventories.get(event)
        if known is None:
            value = self._load(event_key(event))
            if value is not None:
                known = self._inventories[event] = Inventory.from_record(event, decode_event(value))
        return known

    def _define(self, offset: int, at: int, command: DefineEvent) -> Outcome | None:
        inventory = self.inventory(command.event)
        if inventory is None:
            inventory = Inventory(command.event, offset, command.version, command.definition)
            self._inventories[command.event] = inventory
        elif inventory.offset < offset:
            if not inventory.define(offset, command.version, command.definition):
                return None
        elif inventory.version < command.version:
            raise InvariantBroken(f"event {command.event} is at offset {inventory.offset} but lacks that of {offset}")
        self._touched[command.event] = inventory
        return Outcome(
            kind=OutcomeKind.CHANGED,
            event=command.event,
            offset=offset,
            at=_moment(at),
            facts=inventory.facts,
            balance=inventory.balances(),
            as_of=inventory.offset,
        )

    def _purchase(self, key: bytes) -> PurchaseRecord | None:
        known = self._purchases.get(key)
        if known is None:
            value = self._load(key)
            known = None if value is None else decode_purchase(value)
        return known

    def _account(self, event: UUID, account: UUID) -> Account:
        key = account_key(event, account)
        known = self._accounts.get(key)
        if known is None:
            value = self._load(key)
            known = self._accounts[key] = Account(None if value is None else decode_account(value))
        return known

    def _decide(self, offset: int, at: int, command: BuyerCommand, known: PurchaseRecord | None) -> Decision:
        inventory = self.inventory(command.event)
        counts = self._account(command.event, command.account).counts if isinstance(command, (Purchase, Hold)) else {}
        decision = decide(inventory, known, counts, command, offset, at)
        changes = decision.offset == offset and decision.lines
        if changes and inventory is not None and inventory.offset >= offset:
            raise InvariantBroken(f"event {command.event} shows offset {inventory.offset}, but {offset} is undecided")
        return decision

    def _extended(self, command: BuyerCommand, record: PurchaseRecord | None, decision: Decision) -> PurchaseRecord:
        if record is not None:
            return replace(record, offset=decision.offset, history=(*record.history, decision))
        if not isinstance(command, (Purchase, Hold)):
            raise InvariantBroken(f"a {type(command).__name__} made a purchase of {command.purchase}")
        currency = ""
        inventory = self._inventories.get(command.event)
        if decision.lines and inventory is not None:
            currency = inventory.shelves[decision.lines[0].ticket_type].definition.currency
        return PurchaseRecord(decision.offset, command.account, buyer_fingerprint(command), currency, (decision,))

    def _book(self, event: UUID, owner: UUID, decision: Decision) -> None:
        inventory = self.inventory(event)
        if inventory is not None:
            if inventory.offset < decision.offset:
                inventory.apply(decision)
            self._touched[event] = inventory
        if decision.lines:
            account = self._account(event, owner)
            if account.offset < decision.offset:
                account.apply(decision)
            self._booked[account_key(event, owner)] = account

    def _outcome(
        self, command: BuyerCommand, record: PurchaseRecord | None, decision: Decision, *, repeated: bool
    ) -> Outcome:
        inventory = self._inventories.get(command.event)
        after = _standing_after(record, decision)
        left = after.lines if after and decision.kind is OutcomeKind.CANCELLED else ()
        return Outcome(
            kind=decision.kind,
            event=command.event,
            offset=decision.offset,
            at=_moment(decision.at),
            purchase=command.purchase,
            account=record.account if record else None,
            status=after.status if after else None,
            reason=decision.reason,
            figures=decision.figures,
            lines=self._lines(command, decision.lines, with_codes=decision.sold != 0),
            left=self._lines(command, left, with_codes=decision.sold != 0),
            total=_total(decision.lines, record.currency) if record and decision.lines else None,
            deadline=None if decision.deadline is None else _moment(decision.deadline),
            fingerprint=_fingerprint(command, record, decision),
            facts=inventory.facts if inventory else None,
            balance=_balance(inventory, decision.lines),
            as_of=inventory.offset if inventory else -1,
            repeated=repeated,
        )

    def _lines(self, command: BuyerCommand, lines: tuple[Bought, ...], *, with_codes: bool) -> tuple[OutcomeLine, ...]:
        return tuple(
            OutcomeLine(
                line.ticket_type,
                line.name,
                line.quantity,
                line.price,
                self._codes_of(command, line) if with_codes else (),
            )
            for line in lines
        )

    def _codes_of(self, command: BuyerCommand, line: Bought) -> tuple[str, ...]:
        numbers = range(line.first, line.first + line.quantity)
        return tuple(self._codes.code(command.event, command.purchase, number) for number in numbers)


def _fingerprint(command: BuyerCommand, record: PurchaseRecord | None, decision: Decision) -> str:
    if decision.kind is OutcomeKind.REFUSED and isinstance(command, (Purchase, Hold)):
        return buyer_fingerprint(command)
    return record.fingerprint if record else ""


def _standing_after(record: PurchaseRecord | None, decision: Decision) -> Standing | None:
    if record is None or decision.kind is OutcomeKind.REFUSED:
        return None
    past = record.before(decision.offset + 1)
    return standing(past) if past else None


def _total(lines: tuple[Bought, ...], currency: str) -> Money:
    return Money(sum((line.price * line.quantity for line in lines[1:]), lines[0].price * lines[0].quantity), currency)


def _balance(inventory: Inventory | None, lines: tuple[Bought, ...]) -> tuple[Balance, ...]:
    if inventory is None:
        return ()
    shelves = inventory.shelves
    return tuple(shelves[line.ticket_type].balance() for line in lines if line.ticket_type in shelves)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
