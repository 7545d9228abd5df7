"""An event's past, decided once more from a log in memory, is what the independent reference model makes of it."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner

import ops.command_log
import ops.history
from lab.chaos.reference_model import ReferenceModel
from ops.command_log import LogCut, read_commands
from ops.commands import event as event_command
from ops.commands import why
from ops.decision_rules import KIND_RULES, REASON_RULES
from ops.history import life_of
from ops.scratch import Scratch
from settings import Settings
from tables.ledger.as_of import AsOf
from tables.ledger.event_replay import EventReplay, MemoryTable
from tables.ledger.purchase_state import state_of
from tables.messages.commands import Buy, Confirm, DefineEvent, EndPurchases, Hold, LimitHolds, TicketLine
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus, PurchaseStatus
from tests.unit.tables.ledger_driver import (
    ADA,
    BOB,
    CODES,
    EVENT,
    FLOOR,
    NOW,
    OTHER_EVENT,
    definition,
    moment,
    purchase_id,
    ticket_type,
)
from tests.unit.tables.modelled_log import RandomLog, apply, log_of, records_of

OFFSETS = 1_000
SETTINGS = Settings(ticket_key="k" * 32, partitions=1)


def assert_equal(replay: EventReplay, model: ReferenceModel, purchases: list[UUID], at: int) -> None:
    event = str(replay.event)
    found = replay.stock(at)
    stock = {} if found is None else {str(it.ticket_type): (it.held, it.sold) for it in found.ticket_types}
    assert stock == model.stock_of(event)
    for purchase in purchases:
        record, row = replay.purchase(purchase), model.purchases.get((event, str(purchase)))
        assert (record is None) == (row is None)
        if record is not None and row is not None:
            state = state_of(record)
            lines = tuple(sorted((str(line.ticket_type), line.quantity) for line in state.lines))
            assert (state.status, lines, str(record.account)) == (row.status, row.lines, row.account)


@contextmanager
def replay_of(folder: Path, event: UUID = EVENT) -> Iterator[EventReplay]:
    with closing(Scratch(folder)) as table:
        yield EventReplay(table, event, CODES)


def test_the_state_at_1000_random_offsets_is_that_of_the_reference_model(tmp_path: Path) -> None:
    log = RandomLog(1, 1_500)
    last = log.commands[-1].offset
    offsets = sorted(log.random.choices(range(last + 10), k=OFFSETS))
    model, rest, statuses = ReferenceModel(), iter(log.commands), set()
    due = next(rest, None)
    other = EventReplay(MemoryTable(), OTHER_EVENT, CODES)
    with replay_of(tmp_path / "one") as one:
        for offset in offsets:
            while due is not None and AsOf(offset=offset).includes(due.offset, due.at):
                one.apply(due)
                other.apply(due)
                apply(model, due)
                due = next(rest, None)
            for replay in (one, other):
                assert_equal(replay, model, [purchase_id(log.random.randrange(300)) for _ in range(5)], log.at)
            statuses |= {row.status for row in model.purchases.values()}
    assert statuses == set(PurchaseStatus)


@pytest.mark.parametrize("by_time", [False, True])
def test_a_purchases_history_tells_what_it_was_at_each_place_of_the_log(*, by_time: bool) -> None:
    log, replay, then = RandomLog(3, 600), EventReplay(MemoryTable(), EVENT, CODES), []
    purchases = [purchase_id(number) for number in range(0, 300, 6)]
    for each, following in pairwise(log.commands):
        replay.apply(each)
        if not by_time or following.at > each.at:
            moment = AsOf(at=each.at) if by_time else AsOf(offset=each.offset)
            then += [(moment, purchase, replay.purchase(purchase)) for purchase in purchases]
    replay.apply(log.commands[-1])
    for moment, purchase, due in then:
        record = replay.purchase(purchase)
        assert (None if record is None else moment.of_purchase(record)) == due
    assert any(record and len(record.history) > 1 for _, _, record in then)


def test_each_decision_on_a_purchase_is_that_of_the_reference_model(tmp_path: Path) -> None:
    log, model = RandomLog(2, 600), ReferenceModel()
    for each in log.commands:
        apply(model, each)
    seen = set()
    for number in range(0, 300, 10):
        purchase = purchase_id(number)
        with replay_of(tmp_path / str(number)) as replay:
            steps = list(life_of(purchase, log.commands, replay))
        due = [it for it in model.outcomes if (it.event, it.purchase) == (str(EVENT), str(purchase))]
        told = [(step.outcome, step.reason, tuple(sorted(step.figures.items()))) for step in steps]
        assert told == [(it.kind, it.reason, it.figures) for it in due]
        assert all(one.offset < other.offset for one, other in pairwise(steps))
        seen |= {step.outcome for step in steps}
    assert seen >= {OutcomeKind.HELD, OutcomeKind.CONFIRMED, OutcomeKind.REJECTED, OutcomeKind.REFUSED}


SALE = log_of(
    LimitHolds(max_tickets=5),
    DefineEvent(EVENT, 1, definition(ticket_type(quantity=3), capacity=9)),
    Hold(EVENT, purchase_id(1), ADA, [TicketLine(FLOOR, 2)]),
    Buy(EVENT, purchase_id(2), BOB, [TicketLine(FLOOR, 2)]),
    Confirm(EVENT, purchase_id(1), ADA),
    Confirm(EVENT, purchase_id(1), ADA),
    DefineEvent(EVENT, 2, definition(status=EventStatus.CANCELED)),
    EndPurchases(EVENT, 2),
)


def test_a_step_has_what_the_command_met_and_the_rule(tmp_path: Path) -> None:
    with replay_of(tmp_path) as replay:
        [refused] = life_of(purchase_id(2), SALE, replay)
    assert refused.stock is not None
    assert refused.limits is not None
    [floor] = refused.stock.ticket_types
    assert (refused.offset, refused.command, refused.outcome, refused.reason) == (3, "purchase", "rejected", "sold-out")
    assert (floor.quantity, floor.held, floor.available, refused.figures["requested"]) == (3, 2, 1, 2)
    assert (refused.rule, refused.limits.capacity) == (REASON_RULES[Reason.SOLD_OUT], 9)
    assert refused.hold_limits == LimitHolds(max_tickets=5)


def test_a_life_ends_with_what_became_of_it(tmp_path: Path) -> None:
    with replay_of(tmp_path) as replay:
        steps = list(life_of(purchase_id(1), SALE, replay))
    assert [(step.offset, step.command, step.outcome) for step in steps] == [
        (2, "hold", "held"),
        (4, "confirm", "confirmed"),
        (5, "confirm", "confirmed"),
        (7, "end-purchases", "refunded"),
    ]
    assert "that at offset 4" in steps[2].rule
    assert steps[1].account is not None
    assert (steps[1].account.held, steps[3].rule) == (2, REASON_RULES[Reason.EVENT_CANCELED])


def test_every_reason_and_every_decision_has_a_rule() -> None:
    assert REASON_RULES.keys() == set(Reason)
    without = {OutcomeKind.REJECTED, OutcomeKind.REFUNDED, OutcomeKind.REFUSED, OutcomeKind.CHANGED}
    assert KIND_RULES.keys() == set(OutcomeKind) - without


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("7", AsOf(offset=7)),
        (moment(NOW).isoformat(), AsOf(at=NOW)),
        ("2030-03-17T18:46:40+01:00", AsOf(at=NOW)),
    ],
)
def test_a_moment_is_an_offset_or_a_time(text: str, due: AsOf) -> None:
    assert AsOf.read(text) == due


@pytest.mark.parametrize("text", ["-1", "yesterday", "2030-03-17T18:46:40", "²"])
def test_another_moment_is_refused(text: str) -> None:
    done = CliRunner().invoke(why.command, [str(purchase_id(1)), "--as-of", text])
    assert (done.exit_code, "--as-of" in done.output) == (2, True)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log SALE as Kafka has it, with a record that nobody can read."""
    batch = [*records_of(SALE), SimpleNamespace(partition=0, offset=8, timestamp=NOW, value=b"{")]
    monkeypatch.setattr(ops.command_log, "read_log", lambda *_: iter([batch]))
    monkeypatch.setattr(ops.history, "log_begin", lambda *_: 0)
    monkeypatch.setattr(ops.history, "acknowledged", lambda _: {0: 9})
    for module in (why, event_command):
        monkeypatch.setattr(module, "settings", lambda: SETTINGS)


def run(command: Any, *arguments: Any) -> tuple[int, str]:
    done = CliRunner().invoke(command, [str(each) for each in arguments])
    return done.exit_code, done.output


@pytest.mark.usefixtures("kept")
def test_why_prints_each_decision_with_rule_stock_and_limits() -> None:
    code, output = run(why.command, purchase_id(2))
    assert (code, "offset 3" in output, "purchase -> rejected (sold-out)" in output) == (0, True, True)
    assert "3 offered, 2 held, 0 sold, 1 left" in output
    assert "limits: capacity 9, holds max tickets 5" in output


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("as_of", "status"), [((), "refunded"), (("--as-of", 3), "held"), (("--as-of", moment(NOW + 4_500)), "confirmed")]
)
def test_why_shows_the_purchase_at_a_moment(as_of: tuple[Any, ...], status: str) -> None:
    code, output = run(why.command, purchase_id(1), "--event", EVENT, "--json", *as_of)
    assert (code, json.loads(output)["purchase"]["status"]) == (0, status)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("arguments", [(purchase_id(9),), (purchase_id(1), "--as-of", 1)])
def test_a_purchase_that_the_log_does_not_have_is_told(arguments: tuple[Any, ...]) -> None:
    code, output = run(why.command, *arguments)
    assert (code, "the log has no such purchase" in output) == (1, True)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(("offset", "figures"), [(2, (3, 2, 0)), (4, (3, 0, 2))])
def test_an_event_is_shown_at_a_moment(offset: int, figures: tuple[int, int, int]) -> None:
    code, output = run(event_command.command, EVENT, "--as-of", offset, "--json")
    [floor] = json.loads(output)["ticketTypes"]
    assert (code, (floor["quantity"], floor["held"], floor["sold"])) == (0, figures)


@pytest.mark.usefixtures("kept")
def test_an_event_that_the_ledger_did_not_know_yet_is_told() -> None:
    code, output = run(event_command.command, EVENT, "--as-of", 0)
    assert (code, "did not know" in output) == (1, True)
    code, output = run(event_command.command, EVENT, "--as-of", 2)
    assert (code, "3 offered, 2 held, 0 sold, 1 left" in output) == (0, True)


def test_a_log_that_no_longer_reaches_back_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = SimpleNamespace(beginning_offsets=lambda places: dict.fromkeys(places, 7), close=lambda: None)
    monkeypatch.setattr(ops.command_log, "make_consumer", lambda _: consumer)
    with pytest.raises(LogCut, match="begins at offset 7"):
        list(read_commands(SETTINGS, 0, 6, 9))
