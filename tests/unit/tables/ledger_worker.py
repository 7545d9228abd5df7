"""A worker as the ledger sees it: batches, a table, a changelog and outcomes; and what a crash leaves of them."""

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from tables.ledger.event_replay import LogCommand
from tables.ledger.ledger import INVENTORY_CACHE_MAX_EVENTS
from tables.ledger.purchase_records import PurchaseRecord
from tables.ledger.records import PURCHASE_MARK, decode_purchase, record_offset
from tables.messages.commands import Command
from tables.messages.outcomes import Outcome, encode_outcome
from tests.unit.tables.ledger_driver import ledger_on
from tests.unit.tables.random_logs import CommandLog

Changelog = list[tuple[bytes, bytes]]


class WrittenBatch(NamedTuple):
    """A written batch: its first input offset, and the length of the changelog before and after it."""

    offset: int
    before: int
    after: int


class LedgerWorker:
    """Decides a log in random batches; purchase records are appended before event records."""

    def __init__(
        self,
        table: dict[bytes, bytes] | None = None,
        *,
        events_first: bool = False,
        cached_events: int = INVENTORY_CACHE_MAX_EVENTS,
    ) -> None:
        self.table = dict(table or {})
        self.changelog: Changelog = []
        self.outcomes: dict[int, tuple[Outcome, ...]] = {}
        self.commands: dict[int, tuple[Command, ...]] = {}
        self.batches: list[WrittenBatch] = []
        self._events_first = events_first
        self._ledger = ledger_on(self.table, cached_events)

    def run(self, log: CommandLog, batches: Random | int) -> "LedgerWorker":
        """Decide ``log`` in batches of that size, or of any sizes."""
        for batch in _split(log, batches):
            for entry in batch:
                answer = self._ledger.apply(*entry)
                self.outcomes[entry.offset], self.commands[entry.offset] = answer.outcomes, answer.commands
            purchases, events = self._ledger.take_purchases(), self._ledger.take_events()
            before = len(self.changelog)
            for group in (events, purchases) if self._events_first else (purchases, events):
                self.table |= group
                self.changelog += group.items()
            self.batches.append(WrittenBatch(batch[0].offset, before, len(self.changelog)))
        return self

    @property
    def published(self) -> list[list[bytes]]:
        """The outcomes of each command, as the topic has them."""
        return [[encode_outcome(outcome) for outcome in outcomes] for outcomes in self.outcomes.values()]

    def restarts(self, cut: int) -> list[int]:
        """The offsets at which a worker may start again when the changelog ends at ``cut``: the starts of its batches.

        The committed offset may lag behind any number of batches that were written in full, but not be ahead of one
        that was not.
        """
        return [batch.offset for batch in self.batches if batch.before <= cut]


def rebuild(changelog: Changelog, *, offset_rule: bool = True) -> dict[bytes, bytes]:
    """The table after a recovery from a changelog: a record replaces one of the same or a lower offset."""
    table: dict[bytes, bytes] = {}
    for key, value in changelog:
        if not offset_rule or key not in table or record_offset(value) >= record_offset(table[key]):
            table[key] = value
    return table


def survivors(random: Random, run: LedgerWorker, batch: WrittenBatch) -> Iterator[Changelog]:
    """What may be left of a batch whose records were produced out of order within their group.

    Either some of the purchase records, or all of them and some of the accounts' and the event's.
    """
    written = run.changelog[batch.before : batch.after]
    purchases = [record for record in written if record[0][16:17] == PURCHASE_MARK]
    rest = written[len(purchases) :]
    yield _any_of(random, purchases)
    yield purchases + _any_of(random, rest)


def compacted(changelog: Changelog) -> Changelog:
    """What Kafka leaves of a compacted topic: the last record of each key."""
    last = {key: position for position, (key, _) in enumerate(changelog)}
    return [record for position, record in enumerate(changelog) if last[record[0]] == position]


def assert_agree(*runs: dict[int, tuple[Outcome, ...]]) -> None:
    """The outcomes of a command, and of a purchase at an offset, are the same in all runs.

    Only the event's current state may differ: balance, facts and their offset; and of two commands with the same
    decision, the later outcome is marked as repeated. For a definition that changed nothing, a replay may give the
    outcome that the event changed.
    """
    commands: dict[int, list[tuple[UUID | None, int, bool, UUID | None]]] = {}
    decisions: dict[tuple[UUID, UUID | None, int], Outcome] = {}
    for run in runs:
        for offset, outcomes in run.items():
            told = [(outcome.purchase, outcome.offset, outcome.repeated, outcome.request) for outcome in outcomes]
            assert not outcomes or commands.setdefault(offset, told) == told
            for outcome in outcomes:
                lasting = replace(outcome, balance=(), facts=None, as_of=-1, repeated=False, request=None)
                key = (outcome.event, outcome.purchase, outcome.offset)
                assert decisions.setdefault(key, lasting) == lasting


def assert_same(again: LedgerWorker, whole: LedgerWorker) -> None:
    """A restarted worker reaches the state and the decisions of an uninterrupted run."""
    assert again.table == whole.table
    assert_agree(whole.outcomes, again.outcomes)
    silent = {offset for offset, outcomes in again.outcomes.items() if not outcomes}
    assert not any(whole.outcomes[offset] for offset in silent)


def purchases_in(table: dict[bytes, bytes]) -> list[PurchaseRecord]:
    """The purchase records of a table."""
    return [decode_purchase(value) for key, value in table.items() if key[16:17] == PURCHASE_MARK]


def after(log: CommandLog, offset: int) -> CommandLog:
    """The log from ``offset`` on."""
    return [entry for entry in log if entry.offset >= offset]


def _any_of(random: Random, records: Changelog) -> Changelog:
    return [record for record in records if random.random() < 0.5]


def _split(log: CommandLog, batches: Random | int) -> Iterator[list[LogCommand]]:
    entries = iter(log)
    while batch := list(islice(entries, batches if isinstance(batches, int) else batches.choice([1, 2, 3, 7, 12]))):
        yield batch
