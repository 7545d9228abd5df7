"""A replay decides as the first run did, whatever the batches, the crashes and the other writers in between.

Each check has negative controls: with the rule that it proves taken away, it must see the damage.
"""

import itertools
from collections.abc import Iterator, Mapping
from random import Random

import pytest

from tables.errors import InvariantBroken
from tables.ledger.event_replay import LogCommand
from tables.ledger.inventory import Inventory
from tables.ledger.ledger_records import AccountTickets, LedgerRecords
from tables.ledger.purchase_records import Decision, PurchaseRecord
from tables.ledger.purchase_state import state_of
from tables.ledger.records import record_offset
from tables.messages.commands import DefineEvent, EndPurchases
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason
from tables.messages.statuses import PurchaseStatus
from tables.seating.rows import RowBits
from tests.unit.tables.ledger_driver import BOX, EVENT, FLOOR, NOW, OTHER_EVENT, STAND, definition, ticket_type
from tests.unit.tables.ledger_worker import (
    Changelog,
    LedgerWorker,
    after,
    assert_agree,
    assert_same,
    compacted,
    purchases_in,
    rebuild,
    survivors,
)
from tests.unit.tables.random_logs import CommandLog, random_log

SEEDS = range(6)
DAMAGE = (AssertionError, InvariantBroken)

MOVES = {
    (PurchaseStatus.HELD, PurchaseStatus.CONFIRMED),
    (PurchaseStatus.HELD, PurchaseStatus.CANCELLED),
    (PurchaseStatus.HELD, PurchaseStatus.EXPIRED),
    (PurchaseStatus.CONFIRMED, PurchaseStatus.CANCELLED),
    (PurchaseStatus.CONFIRMED, PurchaseStatus.REFUNDED),
}


def test_the_logs_of_these_tests_show_what_a_ledger_can_say() -> None:
    runs = [LedgerWorker().run(random_log(seed, 400), 10) for seed in SEEDS]
    outcomes = [outcome for run in runs for told in run.outcomes.values() for outcome in told]
    assert {outcome.kind for outcome in outcomes} == set(OutcomeKind)
    assert {outcome.reason for outcome in outcomes if outcome.reason} == set(Reason) - {
        Reason.NOT_ON_SALE,
        Reason.ORDER_LIMIT_EXCEEDED,
        Reason.MIXED_CURRENCIES,
        Reason.TOO_MANY_CHANGES,
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_a_replay_into_an_empty_table_gives_the_same_bytes_whatever_the_batches(
    seed: int,
) -> None:
    log = random_log(seed, 300)
    first = LedgerWorker().run(log, 1)
    for batches in (2, 17, len(log), Random(seed)):
        again = LedgerWorker().run(log, batches)
        assert again.table == first.table
        assert again.published == first.published
    assert LedgerWorker(cached_events=0).run(log, Random(seed)).table == first.table


@pytest.mark.parametrize("seed", SEEDS)
def test_a_purchase_changes_its_status_only_as_it_may(seed: int) -> None:
    moves = set()
    for record in purchases_in(LedgerWorker().run(random_log(seed, 300), 10).table):
        path = [state_of(past).status for past in _pasts(record)]
        moves |= {(before, now) for before, now in itertools.pairwise(path) if before != now}
    assert moves
    assert moves <= MOVES


def crash_everywhere(log: CommandLog, seed: int, *, events_first: bool = False) -> None:
    """Cut the changelog after each record, rebuild the table, start again, and compare with the first run."""
    random = Random(seed)
    whole = LedgerWorker(events_first=events_first).run(log, random)
    assert rebuild(whole.changelog) == whole.table
    for cut in range(len(whole.changelog) + 1):
        left = whole.changelog[:cut]
        for offset in _some(random, whole.restarts(cut)):
            again = LedgerWorker(rebuild(left), events_first=events_first).run(after(log, offset), random)
            assert_same(again, whole)
            assert rebuild(left + again.changelog) == whole.table


@pytest.mark.parametrize("seed", SEEDS)
def test_a_crash_after_any_record_is_repaired_by_the_replay(seed: int) -> None:
    crash_everywhere(random_log(seed, 80), seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_crash_in_the_repair_of_a_crash_is_repaired_too(seed: int) -> None:
    random = Random(seed)
    log = random_log(seed, 80)
    whole = LedgerWorker().run(log, random)
    for _ in range(80):
        left, offset, outcomes = whole.changelog, log[0].offset, [whole.outcomes]
        worker = whole
        for _ in range(3):
            cut = random.randrange(len(worker.changelog) + 1)
            left = left[: len(left) - len(worker.changelog) + cut]
            offset = random.choice(worker.restarts(cut))
            worker = LedgerWorker(rebuild(left)).run(after(log, offset), random)
            left = left + worker.changelog
            outcomes.append(worker.outcomes)
        assert worker.table == rebuild(left) == whole.table
        assert_agree(*outcomes)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_local_folder_that_is_ahead_of_the_changelog_is_appended_again(seed: int) -> None:
    random = Random(seed)
    log = random_log(seed, 80)
    whole = LedgerWorker().run(log, random)
    for batch in whole.batches:
        folder = rebuild(whole.changelog[: batch.after])
        again = LedgerWorker(folder).run(after(log, batch.offset), random)
        assert_same(again, whole)
        for cut in range(batch.before, batch.after):
            assert rebuild(whole.changelog[:cut] + again.changelog) == whole.table


@pytest.mark.parametrize("seed", SEEDS)
def test_any_records_of_a_group_that_survive_without_the_others_are_repaired(seed: int) -> None:
    random = Random(seed)
    log = random_log(seed, 80)
    whole = LedgerWorker().run(log, random)
    for batch in whole.batches:
        for left in survivors(random, whole, batch):
            table = rebuild(whole.changelog[: batch.before] + left)
            assert_same(LedgerWorker(table).run(after(log, batch.offset), random), whole)


def test_event_records_before_purchase_records_do_harm() -> None:
    with pytest.raises(DAMAGE):
        _any_seed(events_first=True)


def test_deciding_again_what_is_on_record_does_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PurchaseRecord, "decided_at", lambda *_: None)
    with pytest.raises(DAMAGE):
        _any_seed()


def test_counting_later_history_does_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PurchaseRecord, "before", lambda record, _: record)
    with pytest.raises(DAMAGE):
        _any_seed()


def test_booking_an_effect_twice_does_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    def book_always(
        records: LedgerRecords,
        key: bytes,
        inventory: Inventory | None,
        record: PurchaseRecord,
        decision: Decision,
        account: AccountTickets,
        chosen: Mapping[str, list[RowBits]],
    ) -> None:
        if inventory is not None:
            inventory.offset = min(inventory.offset, decision.offset - 1)
        book(records, key, inventory, record, decision, account, chosen)

    book = LedgerRecords.book
    monkeypatch.setattr(LedgerRecords, "book", book_always)
    with pytest.raises(DAMAGE):
        _any_seed()


@pytest.mark.parametrize("seed", SEEDS)
def test_older_records_of_a_stale_worker_do_no_harm(seed: int) -> None:
    stale_worker_everywhere(random_log(seed, 50), seed)


def test_older_records_of_a_stale_worker_do_harm_without_the_offset_rule() -> None:
    with pytest.raises(DAMAGE):
        for seed in SEEDS:
            stale_worker_everywhere(random_log(seed, 50), seed, offset_rule=False)


def test_older_records_of_a_stale_worker_do_harm_once_a_compaction_took_the_newer_ones() -> None:
    """The offset rule needs both records."""
    with pytest.raises(DAMAGE):
        for seed in SEEDS:
            stale_worker_everywhere(sale(seed), seed, compaction=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_older_records_of_a_stale_worker_do_no_harm_if_the_newer_are_written_over_them_before_a_compaction(
    seed: int,
) -> None:
    stale_worker_everywhere(sale(seed), seed, compaction=True, written_over=True)


def sale(seed: int) -> CommandLog:
    """A log that begins with its events' definitions, which don't change later: purchases can't restore them."""
    log = [entry for entry in random_log(seed, 90) if not isinstance(entry.command, (DefineEvent, EndPurchases))]
    kinds = [ticket_type(kind, 30, max_per_account=6) for kind in (FLOOR, STAND, BOX)]
    defined = [DefineEvent(event, 1, definition(*kinds)) for event in (EVENT, OTHER_EVENT)]
    commands = [(NOW, command) for command in defined] + [(entry.at, entry.command) for entry in log[:60]]
    return [LogCommand(offset, at, command) for offset, (at, command) in enumerate(commands)]


def stale_worker_everywhere(
    log: CommandLog, seed: int, *, offset_rule: bool = True, compaction: bool = False, written_over: bool = False
) -> None:
    """Mix in the late writes of a paused worker for a batch that others decided, and crash after each record."""
    random = Random(seed)
    whole = LedgerWorker().run(log, random)
    paused_at = random.choice(whole.batches[: len(whole.batches) // 2 + 1])
    stale = LedgerWorker(rebuild(whole.changelog[: paused_at.before]))
    stale.run(after(log, paused_at.offset)[: random.choice([1, 5, 15])], random)
    mixed: Changelog = []
    written = list(_mixed(random, whole.changelog, stale.changelog, paused_at.before))
    for count, record in written:
        mixed.append(record)
        if written_over:
            mixed += _newest(record[0], mixed)
        left = compacted(mixed) if compaction else mixed
        for offset in _some(random, whole.restarts(count)):
            again = LedgerWorker(rebuild(left, offset_rule=offset_rule)).run(after(log, offset), random)
            assert_same(again, whole)


def _newest(key: bytes, changelog: Changelog) -> Changelog:
    """The repairs: the newest record of each key whose last record is an older one."""
    *others, last = [value for other, value in changelog if other == key]
    newest = max([last, *others], key=record_offset)
    return [] if record_offset(last) == record_offset(newest) else [(key, newest)]


def _any_seed(*, events_first: bool = False) -> None:
    for seed in SEEDS:
        crash_everywhere(random_log(seed, 80), seed, events_first=events_first)


def _some(random: Random, restarts: list[int]) -> set[int]:
    return {restarts[-1], random.choice(restarts)}


def _pasts(record: PurchaseRecord) -> Iterator[PurchaseRecord]:
    for decision in record.history:
        past = record.before(decision.offset + 1)
        assert past is not None
        yield past


def _mixed(
    random: Random, owners: Changelog, stale: Changelog, start: int
) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    """Both changelogs merged, each in its order, with the number of the owner's records so far."""
    places = sorted(random.randint(start, len(owners)) for _ in stale)
    mine, theirs = 0, 0
    while mine < len(owners) or theirs < len(stale):
        if theirs < len(stale) and places[theirs] <= mine:
            theirs += 1
            yield mine, stale[theirs - 1]
        else:
            mine += 1
            yield mine, owners[mine - 1]
