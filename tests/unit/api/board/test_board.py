"""What a board shows: rates of decisions, events that sell, bounds of stock, components and invariants."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.board.components import components, unknown_components
from api.board.invariants import invariants
from api.board.pipeline_state import DatabaseState, PipelineState
from api.board.rates import SAMPLES_PER_SECOND, SECONDS, DecisionRates
from api.board.sale import (
    EVENTS_MAX,
    EVENTS_SHOWN,
    RECENT_S,
    BoardEvent,
    BoardOutcome,
    SellingEvents,
    decode_board_outcome,
)
from api.board.snapshot import ComponentHealth, InvariantVerdict
from api.board.stock_bounds import StockBounds
from api.pages.board_texts import said_in
from connect.connectors.rest_client import ConnectorState
from connect.observe.definitions import EventDifference
from connect.observe.lag import LogState, RoleGroup, role_topics
from connect.observe.slots import SlotState
from connect.topics import COMMANDS, CONSUMERS, JOBS, OUTCOMES, all_topics, dead_letters
from settings import ROLES
from tables.ledger.definition_differences import FieldDifference
from tables.messages.encoding import from_milliseconds
from tables.messages.outcomes import Balance, Outcome, OutcomeKind, encode_outcome
from tables.offers import StockSnapshot, TicketOffer

NOW = 1_900_000_000.25
said = said_in("en")
LATER_MS = 1_900_000_600_000
EVENT, KIND = uuid4(), uuid4()
FOREIGN = EventDifference(EVENT, (FieldDifference("version", "3", "9"),))


def told(
    held: int, sold: int, quantity: int = 10, as_of: int = 1, kind: UUID = KIND, event: UUID = EVENT
) -> BoardOutcome:
    return BoardOutcome(datetime.now(UTC), event, (Balance(kind, quantity, held, sold),), as_of)


def record(kind: OutcomeKind = OutcomeKind.CONFIRMED, event: UUID = EVENT, **more: object) -> bytes:
    return encode_outcome(Outcome(kind=kind, event=event, offset=1, at=datetime.now(UTC), **more))  # type: ignore[arg-type]


# rates


def test_decisions_are_counted_by_second_and_kind_and_the_present_second_is_not_told_yet() -> None:
    rates = DecisionRates()
    for second, kind in ((0, OutcomeKind.CONFIRMED), (0, OutcomeKind.REJECTED), (2, OutcomeKind.HELD)):
        rates.count(record(kind), NOW + second)
    found = rates.report(NOW + 2)
    assert (found.counts[-2:], found.kinds) == ((2, 0), {"confirmed": 1, "rejected": 1})
    assert rates.report(NOW + 3).counts[-3:] == (2, 0, 1)


def test_a_minute_is_remembered_and_no_more() -> None:
    rates = DecisionRates()
    for second in range(200):
        rates.count(record(), NOW + second)
    found = rates.report(NOW + 200)
    assert found.counts == (1,) * SECONDS
    assert len(rates._seconds) <= SECONDS + 2
    assert rates.report(NOW + 1_000).total == 0


def test_how_long_decisions_took_is_told_as_percentiles() -> None:
    rates = DecisionRates()
    for milliseconds in range(100):
        rates.took(milliseconds, NOW)
    found = rates.report(NOW + 1)
    assert (found.median[-1], found.slowest[-1], found.took_median, found.took_slowest) == (50, 99, 50, 99)


def test_a_busy_second_has_about_so_many_samples() -> None:
    rates = DecisionRates()
    sampled = [0, 0, 0]
    for second in range(3):
        sampled[second] = sum(rates.count(record(), NOW + second) for _ in range(50 * SAMPLES_PER_SECOND))
    assert sampled[0] == 50 * SAMPLES_PER_SECOND
    assert sampled[1] <= SAMPLES_PER_SECOND >= sampled[2] > SAMPLES_PER_SECOND / 2


def test_a_clock_that_is_set_back_begins_a_new_minute() -> None:
    rates = DecisionRates()
    rates.count(record(), NOW + 3_600)
    for second in range(3):
        rates.count(record(), NOW + second)
        rates.took(5, NOW + second)
    assert rates.report(NOW + 3).counts[-3:] == (1, 1, 1)
    rates.count(record(), NOW + 1.9)  # a moment back is none
    assert rates.report(NOW + 3).counts[-3:] == (1, 1, 2)


# sale


def row(event: UUID = EVENT, title: str = "Winterreise", stock: StockSnapshot | None = None, **more: Any) -> BoardEvent:
    offers = more.pop("offers", [TicketOffer(KIND, "Stalls", Decimal(10), "EUR", 10)])
    fixed = {"status": "ACTIVE", "capacity": None, "ends_at": from_milliseconds(LATER_MS)}
    return BoardEvent(id=event, title=title, offers=offers, stock={KIND: stock} if stock else {}, **(fixed | more))


def sold(*events: UUID, rows: Iterable[BoardEvent] = ()) -> SellingEvents:
    selling = SellingEvents()
    for event in events:
        selling.count(str(event).encode(), NOW)
    selling.add_rows(rows)
    return selling


def test_an_event_shows_the_newest_stock_from_wherever_it_came() -> None:
    selling = sold(EVENT, rows=[row(stock=StockSnapshot(5, 1, 4))])
    selling.update(told(held=0, sold=3, as_of=4))
    [shown] = selling.shown(NOW)
    assert (shown.title, shown.sales, shown.types[0].held, shown.types[0].sold) == ("Winterreise", 1, 1, 4)
    selling.update(told(held=2, sold=6, as_of=6))
    [shown] = selling.shown(NOW)
    assert (shown.types[0].held, shown.types[0].sold, shown.types[0].available) == (2, 6, 2)


def test_an_event_is_shown_once_its_row_is_known() -> None:
    selling = sold(EVENT)
    assert selling.shown(NOW) == ()
    assert selling.recent_ids(NOW) == [EVENT]


def test_events_are_bounded_and_those_that_sold_last_are_shown_by_name() -> None:
    events = [UUID(int=number) for number in range(3 * EVENTS_MAX)]
    selling = sold(*events, rows=[row(event, f"Event {event.int:04}") for event in events])
    assert [shown.id for shown in selling.shown(NOW)] == events[-EVENTS_SHOWN:]
    assert len(selling._events) == EVENTS_MAX


def test_an_event_that_sold_before_the_clock_was_set_back_is_not_shown_for_as_long() -> None:
    selling = sold(EVENT, rows=[row()])
    assert len(selling.shown(NOW - RECENT_S + 1)) == 1
    assert (selling.shown(NOW - 3_600), selling.recent_ids(NOW - 3_600)) == ((), [])


def test_an_event_that_sold_nothing_lately_is_not_shown() -> None:
    selling = sold(EVENT, rows=[row(), row(uuid4(), "Never sold")])
    assert [shown.title for shown in selling.shown(NOW + RECENT_S - 1)] == ["Winterreise"]
    assert (selling.shown(NOW + RECENT_S), selling.recent_ids(NOW + RECENT_S)) == ((), [])


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({}, ""),
        ({"stock": StockSnapshot(1, 0, 9)}, "few left"),
        ({"stock": StockSnapshot(1, 2, 8)}, "all held"),
        ({"stock": StockSnapshot(1, 0, 10)}, "sold out"),
        ({"status": "SOLD_OUT"}, "sold out"),
        ({"capacity": 4, "stock": StockSnapshot(1, 0, 4)}, "sold out"),
        ({"status": "ON_HOLD"}, None),
        ({"status": "CANCELED"}, None),
        ({"ends_at": from_milliseconds(int(NOW * 1_000) - 1)}, None),
        ({"offers": [TicketOffer(KIND, "Stalls", Decimal(10), "EUR", 10, sale_starts_ms=LATER_MS)]}, None),
        ({"offers": []}, None),
    ],
)
def test_only_what_is_on_sale_is_shown_with_what_is_special(more: dict[str, Any], note: str | None) -> None:
    found = sold(EVENT, rows=[row(**more)]).shown(NOW)
    assert [said(shown.note) for shown in found] == ([] if note is None else [note])


def test_available_is_what_the_capacity_leaves() -> None:
    [shown] = sold(EVENT, rows=[row(capacity=6, stock=StockSnapshot(1, 1, 3))]).shown(NOW)
    assert shown.types[0].available == 2


def test_of_an_outcome_only_what_is_shown_is_read() -> None:
    balance = (Balance(KIND, 10, 1, 2),)
    found = decode_board_outcome(record(balance=balance, as_of=7, purchase=uuid4(), repeated=True))
    assert (found.event, found.balance, found.as_of, found.repeated) == (EVENT, balance, 7, True)


# bounds


@pytest.mark.parametrize(("held", "sold"), [(-1, 0), (0, -1), (5, 6), (0, 11)])
def test_stock_out_of_bounds_is_noticed_and_named(held: int, sold: int) -> None:
    bounds = StockBounds()
    bounds.check(told(0, 10))
    bounds.check(told(held, sold, as_of=2))
    assert bounds.broken is not None
    assert str(KIND) in said(bounds.broken)
    assert f"{held} held" in said(bounds.broken)


def test_a_lowered_quantity_breaks_nothing_and_selling_on_does() -> None:
    bounds = StockBounds()
    bounds.check(told(0, 8, quantity=10, as_of=1))
    bounds.check(told(0, 9, quantity=5, as_of=3))
    bounds.check(told(0, 8, quantity=5, as_of=4))
    assert (bounds.broken, bounds.checked) == (None, 3)
    bounds.check(told(0, 9, quantity=5, as_of=5))
    assert bounds.broken


def test_an_older_balance_that_comes_late_is_no_news() -> None:
    bounds = StockBounds()
    bounds.check(told(0, 4, quantity=4, as_of=9))
    bounds.check(told(0, 3, quantity=2, as_of=5))
    bounds.check(told(0, 4, quantity=4, as_of=10))
    assert (bounds.broken, bounds.checked) == (None, 2)


# components and invariants


def log(lag: int = 0, members: int = 1, state: str = "Stable", ends: dict[str, int] | None = None) -> LogState:
    group = {role: RoleGroup(state, members, dict.fromkeys(role_topics()[role], lag)) for role in ROLES}
    return LogState(dict.fromkeys([topic.name for topic in all_topics()], 1_000) | (ends or {}), group)


def state(at: float = 10.0, **more: Any) -> PipelineState:
    known: dict[str, Any] = {
        "log": log(),
        "database": DatabaseState(500, 7, (SlotState("turnstile_event", True, "reserved", 0, 0),)),
        "connectors": {"turnstile-event": ConnectorState(("RUNNING", "RUNNING"), "")},
        "heartbeats": {"turnstile-event": 9.0},
        "documents": 7,
        "dead_letters": dict.fromkeys(CONSUMERS, 0),
        "differing": [],
        "mail": True,
        "ledger": True,
    }
    return PipelineState(at=at, **(known | more))


def test_all_is_well_when_everything_answers_and_nothing_waits() -> None:
    drawn = components(state(), None)
    assert {part.health for part in drawn} == {ComponentHealth.WELL}
    bounds = StockBounds()
    bounds.check(told(0, 1))
    assert {rule.verdict for rule in invariants(bounds, state(), drawn)} == {InvariantVerdict.HOLDS}


def test_what_was_not_asked_yet_is_neither_well_nor_ill() -> None:
    drawn = unknown_components()
    assert [part.id for part in drawn] == [part.id for part in components(state(), None)]
    assert {part.health for part in drawn} == {ComponentHealth.UNKNOWN}
    assert {rule.verdict for rule in invariants(StockBounds(), PipelineState(at=0.0), drawn)} == {
        InvariantVerdict.UNKNOWN
    }


def test_rates_are_what_became_more() -> None:
    before, now = state(10.0), state(15.0, log=log(ends={OUTCOMES: 1_500, COMMANDS: 1_005}))
    rates = {part.id: part.rate for part in components(now, before)}
    assert (rates[OUTCOMES], rates[COMMANDS], rates["ledger"], rates["postgres"]) == (100.0, 1.0, 1.0, 0.0)
    assert {part.rate for part in components(now, None)} == {None}


@pytest.mark.parametrize(
    ("more", "part", "health", "word"),
    [
        ({"database": None}, "postgres", ComponentHealth.DOWN, "does not answer"),
        ({"log": None}, COMMANDS, ComponentHealth.DOWN, "Kafka"),
        ({"log": None}, "ledger", ComponentHealth.UNKNOWN, "Kafka"),
        ({"connectors": None}, "connect", ComponentHealth.DOWN, "Kafka Connect"),
        ({"connectors": {}}, "connect", ComponentHealth.DOWN, "no connectors"),
        (
            {"connectors": {"turnstile-event": ConnectorState(("RUNNING", "FAILED"), "x")}},
            "connect",
            ComponentHealth.DOWN,
            "has failed",
        ),
        (
            {"heartbeats": {"turnstile-event": 95.0}},
            "connect",
            ComponentHealth.DOWN,
            "turnstile-event is late: no row has come",
        ),
        ({"documents": None}, "elasticsearch", ComponentHealth.DOWN, "does not answer"),
        ({"mail": False}, "mail", ComponentHealth.DOWN, "does not answer"),
        ({"ledger": False}, "ledger", ComponentHealth.BEHIND, "not ready"),
        ({"log": log(members=0)}, "sales", ComponentHealth.DOWN, "no worker"),
        ({"log": log(state="PreparingRebalance")}, "sales", ComponentHealth.BEHIND, "rebalancing"),
        ({"log": log(lag=300)}, "indexer", ComponentHealth.BEHIND, "1 worker"),
    ],
)
def test_a_part_that_is_ill_says_why(more: dict[str, Any], part: str, health: ComponentHealth, word: str) -> None:
    [found] = [each for each in components(state(**more), None) if each.id == part]
    assert (found.health, word in said(found.note)) == (health, True)


@pytest.mark.parametrize("slot", [SlotState("s", False, "reserved", 0, 0), SlotState("s", True, "lost", 0, 0)])
def test_a_slot_that_nobody_reads_or_that_lost_its_log_is_an_illness(slot: SlotState) -> None:
    ill = state(database=DatabaseState(1, 7, (slot,)))
    drawn = components(ill, None)
    assert {part.id: part for part in drawn}["connect"].health is ComponentHealth.DOWN
    assert {rule.id: rule.verdict for rule in invariants(StockBounds(), ill, drawn)}[
        "captured"
    ] is InvariantVerdict.BROKEN


def test_mails_that_wait_are_told() -> None:
    waiting = log()
    groups = dict(waiting.groups) | {"notifications": RoleGroup("Stable", 1, {JOBS: 42})}
    drawn = {part.id: part for part in components(state(log=LogState(waiting.ends, groups)), None)}
    assert said(drawn["mail"].lag) == "42 to be sent"


@pytest.mark.parametrize(
    ("more", "rule", "verdict"),
    [
        ({"dead_letters": {"mailer": 2}}, "letters", InvariantVerdict.BROKEN),
        ({"dead_letters": None}, "letters", InvariantVerdict.UNKNOWN),
        ({"documents": 6}, "found", InvariantVerdict.BROKEN),
        ({"documents": 6, "log": log(lag=1)}, "found", InvariantVerdict.UNKNOWN),
        ({"documents": None}, "found", InvariantVerdict.UNKNOWN),
        ({"log": None}, "decided", InvariantVerdict.UNKNOWN),
        ({"log": log(members=0)}, "decided", InvariantVerdict.BROKEN),
        ({}, "stock", InvariantVerdict.UNKNOWN),
        ({"differing": None}, "sale", InvariantVerdict.UNKNOWN),
        ({"differing": [FOREIGN]}, "sale", InvariantVerdict.BROKEN),
    ],
)
def test_a_rule_is_red_only_where_it_is_surely_broken(
    more: dict[str, Any], rule: str, verdict: InvariantVerdict
) -> None:
    found = state(**more)
    drawn = components(found, None)
    assert {each.id: each.verdict for each in invariants(StockBounds(), found, drawn)}[rule] is verdict


@pytest.mark.parametrize(("count", "begin"), [(1, "event "), (2, "2 events differ; event ")])
def test_an_event_that_is_sold_otherwise_is_named_with_both_values(count: int, begin: str) -> None:
    found = state(differing=[FOREIGN] * count)
    [rule] = [each for each in invariants(StockBounds(), found, components(found, None)) if each.id == "sale"]
    assert said(rule.detail) == f"{begin}{EVENT} differs in version: PostgreSQL says 3, the ledger 9"


def test_every_dead_letter_topic_is_known() -> None:
    assert {dead_letters(name) for name in CONSUMERS} <= {topic.name for topic in all_topics()}
