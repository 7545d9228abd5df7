"""Which changes of an event are announced to ticket holders."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tables.messages.mail_kinds import MailKind, mail_of_change
from tests.unit.tables.ledger_driver import FACTS

LATER = FACTS.starts_at + timedelta(days=1)


def told(before: dict[str, Any], after: dict[str, Any]) -> MailKind | None:
    return mail_of_change(replace(FACTS, **before), replace(FACTS, **after))


@pytest.mark.parametrize(
    "change",
    [
        {"starts_at": LATER},
        {"ends_at": FACTS.ends_at + timedelta(hours=1)},
        {"venue": "Fenice"},
        {"city": "Venezia"},
        {"time_zone": "UTC"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_time_or_place_is_told(change: dict[str, Any]) -> None:
    assert told({}, change) is MailKind.EVENT_CHANGED


@pytest.mark.parametrize(
    "change",
    [{}, {"title": "An Opera at Night"}, {"status": "ON_HOLD"}, {"status": "SOLD_OUT"}, {"version": 5}],
    ids=["nothing", "title", "on hold", "sold out", "version"],
)
def test_what_changes_nothing_for_a_holder_is_not_told(change: dict[str, Any]) -> None:
    assert told({}, change) is None


def test_postponing_is_told_once_and_so_is_the_new_date() -> None:
    assert told({}, {"status": "POSTPONED"}) is MailKind.EVENT_POSTPONED
    assert told({"status": "POSTPONED"}, {"status": "POSTPONED", "starts_at": LATER}) is MailKind.EVENT_CHANGED
    assert told({"status": "POSTPONED"}, {"status": "POSTPONED", "version": 5}) is None
    assert told({"status": "POSTPONED"}, {"starts_at": LATER}) is MailKind.EVENT_CHANGED


def test_a_postponed_event_that_takes_place_after_all_is_told() -> None:
    assert told({"status": "POSTPONED"}, {"status": "ACTIVE"}) is MailKind.EVENT_CHANGED


@pytest.mark.parametrize("status", ["CANCELED", "DONE"])
def test_the_end_of_an_event_is_told_purchase_by_purchase(status: str) -> None:
    assert told({}, {"status": status, "starts_at": LATER}) is None
