"""The auditor judges partial cancels: what was given back once, what a repeat is told, what must not be decided."""

import json
from collections.abc import Iterable
from uuid import UUID

import pytest

import tables.ledger.decisions
import tables.ledger.ledger_records
from lab.chaos.log_audit import LogAudit, Row
from tables.ledger.ledger_records import AccountTickets
from tables.messages.commands import (
    Buy,
    Cancel,
    Command,
    Confirm,
    DefineEvent,
    Expire,
    Hold,
    LimitHolds,
    encode_command,
)
from tables.messages.outcomes import Outcome, encode_outcome
from tests.unit.tables.ledger_driver import (
    ADA,
    EVENT,
    FLOOR,
    NOW,
    STAND,
    LedgerDriver,
    definition,
    lines,
    purchase_id,
    ticket_type,
)

BOUGHT, HELD = purchase_id(1), purchase_id(2)


def part(purchase: UUID, request: int, *wanted: tuple[UUID, int]) -> Cancel:
    return Cancel(EVENT, purchase, ADA, UUID(int=request), lines(wanted))


LOG: list[Command] = [
    DefineEvent(EVENT, 1, definition(ticket_type(FLOOR), ticket_type(STAND))),
    Buy(EVENT, BOUGHT, ADA, lines([(FLOOR, 4), (STAND, 2)])),
    part(BOUGHT, 1, (FLOOR, 2)),
    part(BOUGHT, 1, (FLOOR, 2)),
    part(BOUGHT, 2, (FLOOR, 1), (STAND, 2)),
    part(BOUGHT, 3, (STAND, 1)),
    Hold(EVENT, HELD, ADA, lines([(FLOOR, 3)]), by_default=True),
    Hold(EVENT, HELD, ADA, lines([(FLOOR, 3)]), seconds=5, by_default=True),
    part(HELD, 1, (FLOOR, 1)),
    Confirm(EVENT, HELD, ADA),
    part(HELD, 2, (FLOOR, 2)),
    part(BOUGHT, 1, (FLOOR, 2)),
    Cancel(EVENT, BOUGHT, ADA),
]


def told(log: Iterable[Command]) -> tuple[LedgerDriver, list[Outcome]]:
    driver = LedgerDriver(batch=1)
    return driver, [outcome for command in log for outcome in driver.send_all(command)]


def history(log: list[Command], table: dict[bytes, bytes], outcomes: list[bytes]) -> LogAudit:
    """A log with what was told and kept of it, on one partition."""
    commands = [Row(0, place, NOW, str(EVENT).encode(), encode_command(each)) for place, each in enumerate(log)]
    rows = [Row(0, place, NOW, b"", value) for place, value in enumerate(outcomes)]
    changelog = [Row(0, place, NOW, *item) for place, item in enumerate(table.items())]
    return LogAudit(1, [], commands, rows, changelog)


def test_partial_cancels_and_their_repeats_are_right_as_the_ledger_decides_them() -> None:
    driver, outcomes = told(LOG)
    assert history(LOG, driver.table, [encode_outcome(each) for each in outcomes]).violations() == []


def test_a_partial_cancel_without_a_request_must_not_be_decided() -> None:
    log = [*LOG[:2], Cancel(EVENT, BOUGHT, ADA, None, lines([(FLOOR, 1)]))]
    driver, outcomes = told(log[:2])
    assert history(log, driver.table, [encode_outcome(each) for each in outcomes]).violations() == []
    driver, outcomes = told(log)
    found = history(log, driver.table, [encode_outcome(each) for each in outcomes]).violations()
    assert {each.partition(":")[0] for each in found} == {"told", "purchases", "counts"}


@pytest.mark.parametrize(
    ("place", "change", "check"),
    [
        (3, {"offset": 3, "repeated": False}, "told"),
        (4, {"left": []}, "told"),
        (4, {"lines": []}, "told"),
        (7, {"reason": "id-reused"}, "told"),
        (11, {"left": []}, "contradictions"),
    ],
)
def test_a_wrong_answer_to_a_partial_cancel_is_found(place: int, change: dict[str, object], check: str) -> None:
    driver, outcomes = told(LOG)
    values = [encode_outcome(each) for each in outcomes]
    values[place] = json.dumps(json.loads(values[place]) | change).encode()
    found = history(LOG, driver.table, values).violations()
    assert check in {each.partition(":")[0] for each in found}


def test_a_part_that_was_given_back_twice_is_found() -> None:
    """What the ledger would do if a repeat were another cancel."""
    twice = [*LOG[:3], part(BOUGHT, 9, (FLOOR, 2))]
    driver, outcomes = told(twice)
    found = history(LOG[:4], driver.table, [encode_outcome(each) for each in outcomes]).violations()
    assert {each.partition(":")[0] for each in found} == {"told", "purchases", "counts"}


def hold(number: int, quantity: int, seconds: int = 60) -> Hold:
    return Hold(EVENT, purchase_id(number), ADA, lines([(FLOOR, quantity)]), seconds)


LIMITED: list[Command] = [
    LOG[0],
    hold(8, 1),
    LimitHolds(),
    hold(1, 4),
    LimitHolds(60, 4, 30),
    hold(2, 1),
    hold(3, 1, 61),
    Cancel(EVENT, purchase_id(1), ADA),
    hold(4, 1),
    Hold(EVENT, purchase_id(5), ADA, lines([(STAND, 1)]), 600, by_default=True),
    Expire(EVENT, purchase_id(5)),
    Expire(EVENT, purchase_id(5), early=True),
    LimitHolds(),
    hold(6, 9, 86_400),
    Confirm(EVENT, purchase_id(8), ADA),
]


def test_limits_on_holds_are_right_as_the_ledger_keeps_them() -> None:
    driver, outcomes = told(LIMITED)
    assert [each.reason for each in outcomes if each.reason] == [
        "hold-limit-exceeded",
        "hold-too-long",
        "hold-too-soon",
        "not-held",
        "hold-ended",
    ]
    assert history(LIMITED, driver.table, [encode_outcome(each) for each in outcomes]).violations() == []


@pytest.mark.parametrize(
    ("owner", "name", "value", "check"),
    [
        (tables.ledger.decisions, "hold_refusal", None, "told"),
        (AccountTickets, "count_hold", None, "counts"),
        (tables.ledger.ledger_records, "_let_go", [], "counts"),
    ],
)
def test_a_ledger_without_limits_on_holds_is_found(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, value: object, check: str
) -> None:
    monkeypatch.setattr(owner, name, lambda *_: value)
    driver, outcomes = told(LIMITED)
    found = history(LIMITED, driver.table, [encode_outcome(each) for each in outcomes]).violations()
    assert check in {each.partition(":")[0] for each in found}
