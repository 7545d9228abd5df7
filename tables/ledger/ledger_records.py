"""The records of one partition while the ledger works on a batch: loaded once, and handed over when it is done.

Those of accounts are changed here; tables/ledger/inventory.py and seat_records.py change those of events and seats.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Final
from uuid import UUID

from tables.errors import InvariantBroken
from tables.ledger.hold_limits import HOLD_LIMITS_KEY, HoldLimits, decode_limits, encode_limits
from tables.ledger.inventory import Inventory
from tables.ledger.purchase_records import Decision, PurchaseRecord, SeatedPurchase
from tables.ledger.records import (
    NOTHING_HELD,
    AccountRecord,
    Holding,
    account_key,
    decode_account,
    decode_event,
    decode_purchase,
    encode_record,
    event_key,
    purchase_prefix,
)
from tables.ledger.seat_records import Load, Scan, SeatRecords
from tables.messages.commands import COOLDOWN_MAX_S, LimitHolds
from tables.messages.outcomes import OutcomeKind
from tables.seating.rows import RowBits

# No record begins like this.
_UNREAD: Final = b"unread"
# The ticket types of which an account gave back or lost a hold are remembered for the longest cooldown, and at most as
# many as the largest order has lines.
LET_GO_KEPT_MS: Final = COOLDOWN_MAX_S * 1000
LET_GO_MAX_TYPES: Final = 50


class AccountTickets:
    """The working copy of an account's record within one event."""

    __slots__ = ("counts", "holding", "key", "offset")

    def __init__(self, key: bytes, record: AccountRecord | None) -> None:
        self.key = key
        self.offset = record.offset if record else -1
        self.counts = dict(record.counts) if record else {}
        self.holding = record.holding if record else None

    def apply(self, decision: Decision) -> None:
        """Add a decision's tickets, or take them away.

        A type that drops to 0 is removed at once: the record's bytes must not depend on where batches end.
        """
        sign = decision.held + decision.sold
        for line in decision.lines:
            count = self.counts.get(line.ticket_type, 0) + sign * line.quantity
            if count < 0:
                raise InvariantBroken(f"account {self.key.hex()} would have {count} of ticket type {line.ticket_type}")
            if count:
                self.counts[line.ticket_type] = count
            else:
                self.counts.pop(line.ticket_type, None)
        self.offset = decision.offset

    def count_hold(self, decision: Decision, made_at: int) -> None:
        """Count the tickets that a decision holds or no longer holds; its purchase was made at offset ``made_at``."""
        before = self.holding or NOTHING_HELD
        let_go = before.let_go
        if decision.held < 0 and decision.kind is not OutcomeKind.CONFIRMED:
            let_go = _let_go(let_go, decision)
        held, since = before.held, before.since
        # A hold that was made before holds were counted is not subtracted either.
        if decision.held > 0 or (held and made_at >= since):
            since = since if held else decision.offset
            held += decision.held * sum([line.quantity for line in decision.lines])
        if held < 0:
            raise InvariantBroken(f"account {self.key.hex()} would hold {held} tickets")
        self.holding = Holding(held, since if held else 0, let_go) if held or let_go else None

    def record(self) -> bytes:
        """The encoded record."""
        return encode_record(AccountRecord(self.offset, list(self.counts.items()), self.holding))


class LedgerRecords:
    """The unit of work on the table ``ledger``; keeps the inventories of ``cached_events`` events between batches."""

    def __init__(self, load: Load, scan: Scan, cached_events: int) -> None:
        self._load = load
        self._scan = scan
        self._cached_events = cached_events
        self.seats = SeatRecords(load, scan)
        self._prefetched: dict[bytes, bytes | None] = {}
        # By the number of the event's id, which unlike UUID itself is hashed in C.
        self._inventories: dict[int, Inventory] = {}
        self._accounts: dict[bytes, AccountTickets] = {}
        self._limits: HoldLimits | None = None
        # Encoded at once: at the end of a batch the processor would have to fetch each record again.
        self._changed_purchases: dict[bytes, bytes] = {}
        # The keys of the first so many changed purchases, by their event's prefix.
        self._indexed = 0
        self._changed_keys: dict[bytes, list[bytes]] = {}
        self._changed_accounts: dict[bytes, AccountTickets] = {}
        self._changed_events: dict[int, Inventory] = {}
        self._changed_limits: HoldLimits | None = None

    def read_ahead(self, keys: list[bytes]) -> None:
        """Load the records of these keys in one read."""
        self._prefetched = dict(zip(keys, self._load(keys), strict=True))

    def inventory(self, event: UUID) -> Inventory | None:
        """The event after the commands applied so far."""
        known = self._inventories.get(event.int)
        if known is None:
            value = self._read(event_key(event))
            if value is not None:
                known = self._inventories[event.int] = Inventory.from_record(event, decode_event(value))
        return known

    def purchase(self, key: bytes) -> PurchaseRecord | None:
        """The purchase after the commands applied so far."""
        value = self._changed_purchases.get(key)
        if value is None:
            value = self._read(key)
        return None if value is None else decode_purchase(value)

    def purchases_after(self, event: UUID, after: bytes, offset: int) -> Iterator[tuple[bytes, PurchaseRecord]]:
        """The event's purchases with ids above ``after`` that were made before ``offset``, with their keys, sorted."""
        prefix = purchase_prefix(event)
        start = prefix + after
        changed = self._changed_purchases
        fresh = sorted(key for key in self._keys_changed(prefix) if key > start)
        stored = self._scan(prefix, start)
        for key, value in merge(((key, b"") for key in fresh), (pair for pair in stored if pair[0] not in changed)):
            record = decode_purchase(changed.get(key, value))
            if record.history[0].offset < offset:
                yield key, record

    def _keys_changed(self, prefix: bytes) -> list[bytes]:
        """The keys of the changed purchases of an event. Many steps of one batch look at each key once."""
        changed = self._changed_purchases
        for key in islice(reversed(changed), len(changed) - self._indexed):
            self._changed_keys.setdefault(key[: len(prefix)], []).append(key)
        self._indexed = len(changed)
        return self._changed_keys.get(prefix, [])

    def account(self, event: UUID, account: UUID) -> AccountTickets:
        """What an account has of the event after the commands applied so far."""
        key = account_key(event, account)
        known = self._accounts.get(key)
        if known is None:
            value = self._read(key)
            known = self._accounts[key] = AccountTickets(key, None if value is None else decode_account(value))
        return known

    def hold_limits(self) -> HoldLimits:
        """The hold limits in force after the commands applied so far."""
        if self._limits is None:
            self._limits = decode_limits(self._read(HOLD_LIMITS_KEY))
        return self._limits

    def limit_holds(self, offset: int, command: LimitHolds) -> None:
        """Set the hold limits, unless a later command has."""
        limits = self.hold_limits()
        if limits.offset < offset:
            limits = limits.then(offset, command)
        self._limits = self._changed_limits = limits

    def add_event(self, inventory: Inventory) -> None:
        """Add an event that is new or changed."""
        self._inventories[inventory.id.int] = self._changed_events[inventory.id.int] = inventory

    def book(
        self,
        key: bytes,
        inventory: Inventory | None,
        record: PurchaseRecord,
        decision: Decision,
        account: AccountTickets,
        chosen: Mapping[str, list[RowBits]],
    ) -> None:
        """Book a decision on a purchase: its record, its event, its account and its seats.

        ``chosen`` has the bits of the seats that a decision takes, by row of each section, if it was made just now.
        """
        self._changed_purchases[key] = encode_record(record)
        if inventory is not None:
            if inventory.offset < decision.offset:
                inventory.apply(decision)
            self._changed_events[inventory.id.int] = inventory
        if decision.lines:
            self._book_account(account, ((record, decision),))
        if isinstance(record, SeatedPurchase):
            event = UUID(bytes=key[:16]) if inventory is None else inventory.id
            if chosen:
                self.seats.take(event, decision.offset, record.moves[0].plan, chosen, sold=decision.sold > 0)
            else:
                self._book_seats(event, decision.offset, [record])

    def book_step(
        self, inventory: Inventory, offset: int, ended: Sequence[tuple[bytes, PurchaseRecord, Decision]]
    ) -> None:
        """Book the decisions of one step, all at ``offset``, on purchases of one event."""
        due = inventory.offset < offset
        by_account: dict[UUID, list[tuple[PurchaseRecord, Decision]]] = {}
        for key, record, decision in ended:
            self._changed_purchases[key] = encode_record(record)
            by_account.setdefault(record.account, []).append((record, decision))
            if due:
                inventory.apply(decision)
        self._book_seats(inventory.id, offset, [record for _, record, _ in ended if isinstance(record, SeatedPurchase)])
        for account, decided in by_account.items():
            self._book_account(self.account(inventory.id, account), decided)
        self._changed_events[inventory.id.int] = inventory

    @property
    def changed_events(self) -> Collection[Inventory]:
        """The events whose records ``take_events`` will return."""
        return self._changed_events.values()

    def take_purchases(self) -> dict[bytes, bytes]:
        """The purchase records changed since the last call."""
        taken, self._changed_purchases = self._changed_purchases, {}
        self._changed_keys.clear()
        self._indexed = 0
        return taken

    def take_events(self) -> dict[bytes, bytes]:
        """The account and event records changed since the last call, and the hold limits. Ends the batch."""
        taken = {key: account.record() for key, account in self._changed_accounts.items()}
        taken |= self.seats.take_changed()
        taken |= {event_key(inventory.id): inventory.record() for inventory in self._changed_events.values()}
        if self._changed_limits is not None:
            taken[HOLD_LIMITS_KEY] = encode_limits(self._changed_limits)
            self._changed_limits = None
        self._prefetched.clear()
        self._accounts.clear()
        self._changed_accounts.clear()
        self._changed_events.clear()
        while len(self._inventories) > self._cached_events:
            del self._inventories[next(iter(self._inventories))]
        return taken

    def _read(self, key: bytes) -> bytes | None:
        value = self._prefetched.get(key, _UNREAD)
        return self._load([key])[0] if value is _UNREAD else value

    def _book_seats(self, event: UUID, offset: int, records: Iterable[SeatedPurchase]) -> None:
        """Book what the decisions at ``offset`` do to seats."""
        effects = [effect for record in records if (effect := record.seat_effect(offset)) is not None]
        if effects:
            self.seats.book(event, offset, effects)

    def _book_account(self, account: AccountTickets, decided: Sequence[tuple[PurchaseRecord, Decision]]) -> None:
        """Book decisions of one offset on purchases of one account."""
        if account.offset < decided[0][1].offset:
            for record, decision in decided:
                account.apply(decision)
                if decision.held and decision.offset > self.hold_limits().since:
                    account.count_hold(decision, record.history[0].offset)
        self._changed_accounts[account.key] = account


def _let_go(before: list[tuple[UUID, int]], decision: Decision) -> list[tuple[UUID, int]]:
    """The types that the account let go of last, with times (ms): the decision's, and those kept from before."""
    latest = {line.ticket_type: decision.at for line in decision.lines}
    kept = [(key, at) for key, at in before if key not in latest and at > decision.at - LET_GO_KEPT_MS]
    return [*kept, *latest.items()][-LET_GO_MAX_TYPES:]
