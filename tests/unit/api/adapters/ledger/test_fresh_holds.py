"""Holds that must be paid, from their outcome to the start of the payment."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from api.adapters.ledger import fresh_holds
from api.adapters.ledger.fresh_holds import FreshHolds
from tables.messages.commands import Buy, TicketLine
from tables.messages.outcomes import MoneyAmount, Outcome, OutcomeKind
from tables.payments.forwarding import forwarded
from tests.unit.api.fakes.ledger import outcome


def held(**more: Any) -> Outcome:
    command = Buy(uuid4(), uuid4(), uuid4(), [TicketLine(uuid4(), 1)])
    fields: dict[str, Any] = {"payment": MoneyAmount(Decimal("49.90"), "EUR")}
    return outcome(command, OutcomeKind.HELD, **fields | more)


def take(fresh: FreshHolds, of: Outcome, account: UUID | None = None) -> Any:
    assert of.purchase is not None
    return fresh.take(of.event, of.purchase, lambda owner: owner == (account or of.account))


def test_a_hold_is_taken_once_as_the_event_that_the_role_payments_forwards() -> None:
    fresh, told = FreshHolds(), held()
    fresh.learn(told)
    assert take(fresh, told) == forwarded(told)
    assert take(fresh, told) is None


def test_a_hold_is_taken_only_by_those_who_may_see_it() -> None:
    fresh, told = FreshHolds(), held()
    fresh.learn(told)
    assert take(fresh, told, uuid4()) is None
    assert take(fresh, told) is not None


@pytest.mark.parametrize("more", [{"payment": None}, {"repeated": True}, {"account": None}])
def test_what_need_not_be_paid_or_may_have_been_started_is_not_kept(more: dict[str, Any]) -> None:
    fresh, told = FreshHolds(), held(**more)
    fresh.learn(told)
    assert take(fresh, told, UUID(int=0)) is None


def test_a_sold_ticket_is_no_hold() -> None:
    fresh, told = FreshHolds(), held()
    fresh.learn(replace(told, kind=OutcomeKind.CONFIRMED))
    assert take(fresh, told) is None


def test_no_more_holds_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh_holds, "FRESH_MAX_HOLDS", 2)
    fresh, told = FreshHolds(), [held() for _ in range(3)]
    for each in told:
        fresh.learn(each)
    assert [take(fresh, each) is not None for each in told] == [False, True, True]
