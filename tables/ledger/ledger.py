"""The ledger of one partition: commands in log order in, records and outcomes out, with effects once.

A command whose decision is on record is not decided again: record and outcome are given again, as
they were. A recorded decision that the event or the account does not show yet is booked there. So a
replay repairs whatever prefix of the writes a crash let through. Rules and limits: docs/ledger.md.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from tables.errors import InvariantBroken, MalformedCommand
from tables.ledger.accounts import Account
from tables.ledger.decisions import Counts, buyer_fingerprint, decide, end
from tables.ledger.hold_limits import KEY as LIMITS_KEY
from tables.ledger.hold_limits import UNLIMITED, Holder, HoldLimits, decode_limits, encode_limits
from tables.ledger.inventory import Inventory
from tables.ledger.outcome_builder import News, Teller, moment
from tables.ledger.records import (
    NOTHING_HELD,
    Decision,
    PurchaseRecord,
    account_key,
    decode_account,
    decode_event,
    decode_purchase,
    encode_record,
    event_key,
    purchase_key,
    purchase_prefix,
)
from tables.ledger.ticket_codes import TicketCodes
from tables.messages.commands import (
    Buy,
    BuyerCommand,
    Cancel,
    Command,
    Confirm,
    DefineEvent,
    EndPurchases,
    Hold,
    LimitHolds,
)
from tables.messages.outcomes import Outcome, OutcomeKind

# The records under some keys, in their order; None where there is none.
Load = Callable[[list[bytes]], Sequence[bytes | None]]
# The records whose keys begin with the first argument and come after the second, in the order of their keys.
Scan = Callable[[bytes, bytes], Iterable[tuple[bytes, bytes]]]
# A purchase, and a decision on it that is to be booked.
Booking = tuple[PurchaseRecord, Decision]
MOST_INVENTORIES = 2_000


class Answer(Struct, frozen=True, gc=False):
    """What carrying out a command gives: outcomes to tell, and commands to append to the same partition.

    Both must be stored before the command itself is acknowledged.
    """

    outcomes: tuple[Outcome, ...] = ()
    commands: tuple[Command, ...] = ()


_NOTHING = Answer()


class Ledger:
    """Decides the commands of one partition. ``load`` and ``scan`` read records of that partition's table.

    What the commands of a batch changed is taken with ``take_purchases`` and ``take_events``; nothing
    that they return was changed by a command that is not stored with it.
    """

    def __init__(self, load: Load, scan: Scan, codes: TicketCodes) -> None:
        self._load = load
        self._scan = scan
        self._teller = Teller(codes)
        self._ahead: dict[bytes, bytes | None] = {}
        self._inventories: dict[UUID, Inventory] = {}
        self._purchases: dict[bytes, PurchaseRecord] = {}
        self._accounts: dict[bytes, Account] = {}
        self._booked: dict[bytes, Account] = {}
        self._touched: dict[UUID, Inventory] = {}
        self._limits: HoldLimits | None = None
        self._limited: HoldLimits | None = None

    def read_ahead(self, commands: Iterable[Command]) -> None:
        """Load at once what the commands of a batch will need one after the other."""
        keys = []
        for command in commands:
            if isinstance(command, BuyerCommand):
                keys.append(purchase_key(command.event, command.purchase))
                if isinstance(command, (Buy, Hold)):
                    keys.append(account_key(command.event, command.account))
        self._ahead = dict(zip(keys, self._load(keys), strict=True))

    def check(self, offset: int, command: Command) -> None:
        """Raise MalformedCommand for a partial cancel without ``request``: its repeat could not be told from another.

        One that was decided at ``offset`` before that was asked for is still told as it was.
        """
        if isinstance(command, Cancel) and not command.is_repeatable:
            record = self._purchase(purchase_key(command.event, command.purchase))
            if record is None or record.decided_at(offset) is None:
                raise MalformedCommand("Object missing required field `request`, which a cancel of `lines` must have")

    def apply(self, offset: int, at: int, command: Command) -> Answer:
        """Carry out the command at ``offset``, appended at ``at`` (ms)."""
        if isinstance(command, DefineEvent):
            return self._define(offset, at, command)
        if isinstance(command, EndPurchases):
            return self._end(offset, at, command)
        if isinstance(command, LimitHolds):
            return self._limit(offset, command)
        inventory = self.inventory(command.event)
        key = purchase_key(command.event, command.purchase)
        record = self._purchase(key)
        decision = record.decided_at(offset) if record else None
        if decision is None:
            known = record.before(offset) if record else None
            decision = self._decide(offset, at, command, known, inventory)
            if decision.offset == offset and decision.kind is not OutcomeKind.REFUSED:
                record = _extended(command, record, decision, inventory)
            else:
                record = known
        if record is not None and decision.offset == offset and decision.kind is not OutcomeKind.REFUSED:
            self._purchases[key] = record
            self._book(command.event, inventory, record, decision)
        body = _fingerprint(command, record, decision)
        request = command.request if isinstance(command, (Confirm, Cancel)) else None
        news = News(command.event, command.purchase, record, decision, body, decision.offset != offset, request)
        return Answer((self._teller.tell(news, inventory),))

    @property
    def touched(self) -> Collection[Inventory]:
        """The events that ``take_events`` will give the records of."""
        return self._touched.values()

    def take_purchases(self) -> dict[bytes, bytes]:
        """The purchase records written since the last call."""
        taken = {key: encode_record(record) for key, record in self._purchases.items()}
        self._purchases.clear()
        return taken

    def take_events(self) -> dict[bytes, bytes]:
        """The account and event records written since the last call, and that of the limits."""
        taken = {key: account.record() for key, account in self._booked.items()}
        taken |= {event_key(event): inventory.record() for event, inventory in self._touched.items()}
        if self._limited is not None:
            taken[LIMITS_KEY] = encode_limits(self._limited)
            self._limited = None
        self._ahead.clear()
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
            value = self._read(event_key(event))
            if value is not None:
                known = self._inventories[event] = Inventory.from_record(event, decode_event(value))
        return known

    def _define(self, offset: int, at: int, command: DefineEvent) -> Answer:
        inventory = self.inventory(command.event)
        if inventory is None:
            inventory = Inventory(command.event, offset, command.version, command.definition)
            self._inventories[command.event] = inventory
        elif inventory.offset < offset:
            if not inventory.define(offset, command.version, command.definition):
                return _NOTHING
        elif inventory.version < command.version:
            raise InvariantBroken(f"event {command.event} is at offset {inventory.offset} but lacks that of {offset}")
        self._touched[command.event] = inventory
        outcome = Outcome(
            kind=OutcomeKind.CHANGED,
            event=command.event,
            offset=offset,
            at=moment(at),
            facts=inventory.facts,
            balance=inventory.balances(),
            as_of=inventory.offset,
        )
        first_step = EndPurchases(command.event, command.version)
        return Answer((outcome,), (first_step,) if _is_next(first_step, inventory) else ())

    def _limit(self, offset: int, command: LimitHolds) -> Answer:
        limits = self._hold_limits()
        if limits.offset < offset:
            limits = limits.then(offset, command)
        self._limits = self._limited = limits
        return _NOTHING

    def _end(self, offset: int, at: int, step: EndPurchases) -> Answer:
        """Carry out a step; the event's record tells a step that was carried out before from one that is due."""
        inventory = self.inventory(step.event)
        if inventory is None:
            return _NOTHING
        due = inventory.offset < offset
        if due and not _is_due(step, inventory):
            return _NOTHING
        chosen = list(islice(self._purchases_after(step, offset), step.most))
        decided = [each for each in (self._ended(offset, at, *pair, due=due) for pair in chosen) if each]
        after = UUID(bytes=chosen[-1][0][17:]) if len(chosen) == step.most else None
        self._book_step(inventory, offset, decided)
        if due:
            inventory.end(offset, after)
        outcomes = tuple(
            self._teller.tell(News(step.event, UUID(bytes=key[17:]), record, decision, record.fingerprint), inventory)
            for key, record, decision in decided
        )
        following = replace(step, after=after)
        goes_on = after is not None and _is_next(following, inventory)
        return Answer(outcomes, (following,) if goes_on else ())

    def _purchases_after(self, step: EndPurchases, offset: int) -> Iterator[tuple[bytes, PurchaseRecord]]:
        """The event's purchases after the step's cursor that were made before ``offset``, in the order of keys."""
        prefix = purchase_prefix(step.event)
        start = prefix + (step.after.bytes if step.after else b"")
        fresh = sorted(key for key in self._purchases if key > start and key.startswith(prefix))
        stored = self._scan(prefix, start)
        for key, value in merge(
            ((key, b"") for key in fresh), (pair for pair in stored if pair[0] not in self._purchases)
        ):
            record = self._purchases[key] if key in self._purchases else decode_purchase(value)
            if record.history[0].offset < offset:
                yield key, record

    def _ended(
        self, offset: int, at: int, key: bytes, record: PurchaseRecord, *, due: bool
    ) -> tuple[bytes, PurchaseRecord, Decision] | None:
        decision = record.decided_at(offset)
        if decision is not None:
            return key, record, decision
        past = record.before(offset) if due else None
        decision = end(past, offset, at) if past else None
        if decision is None:
            return None
        if record.offset > offset:
            raise InvariantBroken(f"purchase {key.hex()} is at offset {record.offset} but lacks that of {offset}")
        return key, record.and_then(decision), decision

    def _book_step(
        self, inventory: Inventory, offset: int, decided: list[tuple[bytes, PurchaseRecord, Decision]]
    ) -> None:
        due = inventory.offset < offset
        by_account: dict[UUID, list[Booking]] = {}
        for key, record, decision in decided:
            self._purchases[key] = record
            by_account.setdefault(record.account, []).append((record, decision))
            if due:
                inventory.apply(decision)
        for bookings in by_account.values():
            self._book_account(inventory.id, bookings)
        if due or decided:
            self._touched[inventory.id] = inventory

    def _read(self, key: bytes) -> bytes | None:
        return self._ahead[key] if key in self._ahead else self._load([key])[0]

    def _purchase(self, key: bytes) -> PurchaseRecord | None:
        known = self._purchases.get(key)
        if known is None:
            value = self._read(key)
            known = None if value is None else decode_purchase(value)
        return known

    def _account(self, event: UUID, account: UUID) -> Account:
        key = account_key(event, account)
        known = self._accounts.get(key)
        if known is None:
            value = self._read(key)
            known = self._accounts[key] = Account(key, None if value is None else decode_account(value))
        return known

    def _hold_limits(self) -> HoldLimits:
        """The limits in force after the commands applied so far."""
        if self._limits is None:
            value = self._read(LIMITS_KEY)
            self._limits = UNLIMITED if value is None else decode_limits(value)
        return self._limits

    def _decide(
        self, offset: int, at: int, command: BuyerCommand, known: PurchaseRecord | None, inventory: Inventory | None
    ) -> Decision:
        counts: Counts = {}
        holder = None
        if isinstance(command, (Buy, Hold)):
            account = self._account(command.event, command.account)
            counts = account.counts
            if isinstance(command, Hold):
                holder = Holder(self._hold_limits(), account.holding or NOTHING_HELD)
        decision = decide(inventory, known, counts, command, offset, at, holder)
        changes = decision.offset == offset and decision.lines
        if changes and inventory is not None and inventory.offset >= offset:
            raise InvariantBroken(f"event {command.event} shows offset {inventory.offset}, but {offset} is undecided")
        return decision

    def _book(self, event: UUID, inventory: Inventory | None, record: PurchaseRecord, decision: Decision) -> None:
        if inventory is not None:
            if inventory.offset < decision.offset:
                inventory.apply(decision)
            self._touched[event] = inventory
        if decision.lines:
            self._book_account(event, ((record, decision),))

    def _book_account(self, event: UUID, bookings: Sequence[Booking]) -> None:
        """Book decisions of one offset on purchases of one account."""
        record, decision = bookings[0]
        account = self._account(event, record.account)
        if account.offset < decision.offset:
            for record, decision in bookings:
                account.apply(decision)
                if decision.held and decision.offset > self._hold_limits().since:
                    account.count_hold(decision, record.history[0].offset)
        self._booked[account.key] = account


def _extended(
    command: BuyerCommand, record: PurchaseRecord | None, decision: Decision, inventory: Inventory | None
) -> PurchaseRecord:
    if record is not None:
        return record.and_then(decision)
    if not isinstance(command, (Buy, Hold)):
        raise InvariantBroken(f"a {type(command).__name__} made a purchase of {command.purchase}")
    currency = ""
    if decision.lines and inventory is not None:
        currency = inventory.shelves[decision.lines[0].ticket_type].definition.currency
    return PurchaseRecord(decision.offset, command.account, buyer_fingerprint(command), currency, (decision,))


def _is_due(step: EndPurchases, inventory: Inventory) -> bool:
    """Whether a step leads on from where the event is. One from farther on does, too: the record may have been lost."""
    ending = inventory.ending
    if ending is None or ending.done or inventory.version != step.version:
        return False
    return _place(step.after) >= _place(ending.after)


def _is_next(step: EndPurchases, inventory: Inventory) -> bool:
    """Whether a step is the very next, so that it has to be in the log."""
    ending = inventory.ending
    return ending is not None and not ending.done and (inventory.version, ending.after) == (step.version, step.after)


def _place(after: UUID | None) -> bytes:
    return after.bytes if after else b""


def _fingerprint(command: BuyerCommand, record: PurchaseRecord | None, decision: Decision) -> str:
    if decision.kind is OutcomeKind.REFUSED and isinstance(command, (Buy, Hold)):
        return buyer_fingerprint(command)
    return record.fingerprint if record else ""
