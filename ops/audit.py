"""An audit of promises 1 and 2: the ledger's counters are added up again from the histories of all purchases.

Pure. An event's record is compared with the decisions up to its own offset, so records that are read while the ledger
goes on cause no false alarm.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from tables.ledger.inventory import Inventory
from tables.ledger.purchase_records import Decision, PurchaseRecord
from tables.ledger.records import ACCOUNT_MARK, EVENT_MARK, PURCHASE_MARK, decode_account, decode_event, decode_purchase
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus

Row = tuple[bytes, bytes]
# By ticket type: held, sold.
Out = dict[UUID, tuple[int, int]]


class Finding(NamedTuple):
    """A broken promise of an event, by its number; 0 is a note, which names the condition under which it is right."""

    event: UUID
    promise: int
    text: str


@dataclass
class Audit:
    """How much was audited, the findings, and the events that sell."""

    events: int = 0
    purchases: int = 0
    findings: list[Finding] = field(default_factory=list)
    selling: set[UUID] = field(default_factory=set)

    @property
    def broken(self) -> list[Finding]:
        """The findings of broken promises."""
        return [finding for finding in self.findings if finding.promise]

    @property
    def notes(self) -> list[Finding]:
        """The other findings."""
        return [finding for finding in self.findings if not finding.promise]

    def add(self, rows: Iterable[Row]) -> None:
        """Audit a partition's records, in the order of their keys."""
        for prefix, some in groupby(rows, key=lambda row: row[0][:16]):
            event = _Event(UUID(bytes=prefix), list(some))
            self.events += event.inventory is not None
            if event.inventory is not None and event.inventory.definition.status is EventStatus.ACTIVE:
                self.selling.add(event.event)
            self.purchases += len(event.purchases)
            self.findings += event.findings()


class _Event:
    """One event's records."""

    def __init__(self, event: UUID, rows: list[Row]) -> None:
        self.event = event
        self.inventory: Inventory | None = None
        self.purchases: dict[UUID, PurchaseRecord] = {}
        self.accounts: dict[UUID, Any] = {}
        for key, value in rows:
            kind = key[16:17]
            if kind == EVENT_MARK:
                self.inventory = Inventory.from_record(event, decode_event(value))
            elif kind == PURCHASE_MARK:
                self.purchases[UUID(bytes=key[17:])] = decode_purchase(value)
            elif kind == ACCOUNT_MARK:
                self.accounts[UUID(bytes=key[17:])] = decode_account(value)

    def findings(self) -> Iterator[Finding]:
        if self.inventory is None:
            return
        yield from self._counters(self.inventory)
        yield from self._quantities(self.inventory)
        yield from self._accounts()
        yield from self._refusals()

    def _counters(self, inventory: Inventory) -> Iterator[Finding]:
        said: Out = {each.ticket_type: (each.held, each.sold) for each in inventory.balances()}
        said |= {key: (stock.held, stock.sold) for key, stock in inventory.removed.items()}
        done = _out(one for _, one in self._decisions() if one.offset <= inventory.offset)
        for kind in said.keys() | done.keys():
            says, does = said.get(kind, (0, 0)), done.get(kind, (0, 0))
            if says != does:
                text = f"says {says[0]} held, {says[1]} sold; its purchases add up to {does[0]} and {does[1]}"
                yield Finding(self.event, 1, f"ticket type {kind} {text}")
            if min(does) < 0:
                yield Finding(self.event, 1, f"ticket type {kind} has {does[0]} held and {does[1]} sold")

    def _quantities(self, inventory: Inventory) -> Iterator[Finding]:
        for stock in inventory.stock.values():
            over = stock.held + stock.sold - stock.quantity
            if over > 0:
                text = f"has {over} out beyond its {stock.quantity}: right only if the quantity was lowered"
                yield Finding(self.event, 0, f"ticket type {stock.definition.id} {text}")

    def _accounts(self) -> Iterator[Finding]:
        by_account: dict[UUID, list[tuple[PurchaseRecord, Decision]]] = {}
        for purchase, one in self._decisions():
            by_account.setdefault(purchase.account, []).append((purchase, one))
        for account, record in self.accounts.items():
            known = [(purchase, one) for purchase, one in by_account.get(account, ()) if one.offset <= record.offset]
            does = {kind: sum(out) for kind, out in _out(one for _, one in known).items() if sum(out)}
            says = {kind: count for kind, count in record.counts if count}
            if says != does:
                yield Finding(self.event, 1, f"account {account} is counted with {_told(says)}, it has {_told(does)}")
            if record.holding and record.holding.held:
                says_held = record.holding.held
                holds = _held(one for purchase, one in known if purchase.history[0].offset >= record.holding.since)
                if says_held != holds:
                    text = f"account {account} is counted with {says_held} tickets held, it holds {holds}"
                    yield Finding(self.event, 1, text)

    def _refusals(self) -> Iterator[Finding]:
        """Promise 2: at the offset of each "sold out" fewer tickets were left than were asked for.

        A taken seat, or too few adjacent ones, is kept as "sold out" without a limit, and passed over.
        """
        out: Counter[str] = Counter()
        for one in sorted((one for _, one in self._decisions()), key=lambda one: one.offset):
            if one.reason in (Reason.SOLD_OUT, Reason.CAPACITY_EXCEEDED) and "limit" in one.figures:
                kind = one.figures.get("ticketType", "")
                left = one.figures["limit"] - (out[kind] if kind else out.total())
                if one.figures["requested"] <= left:
                    what = f"{one.figures['requested']} tickets at offset {one.offset}, refused as {one.reason}"
                    yield Finding(self.event, 2, f"{what}, could be had: {left} were left {kind}".rstrip())
            for line in one.lines:
                out[str(line.ticket_type)] += (one.held + one.sold) * line.quantity

    def _decisions(self) -> Iterator[tuple[PurchaseRecord, Decision]]:
        return ((purchase, one) for purchase in self.purchases.values() for one in purchase.history)


def _out(decisions: Iterable[Decision]) -> Out:
    held: Counter[UUID] = Counter()
    sold: Counter[UUID] = Counter()
    for one in decisions:
        for line in one.lines:
            held[line.ticket_type] += one.held * line.quantity
            sold[line.ticket_type] += one.sold * line.quantity
    return {kind: (held[kind], sold[kind]) for kind in held.keys() | sold.keys()}


def _held(decisions: Iterable[Decision]) -> int:
    return sum(held for held, _ in _out(decisions).values())


def _told(counts: dict[UUID, int]) -> str:
    return ", ".join(f"{count} of {kind}" for kind, count in sorted(counts.items())) or "nothing"
