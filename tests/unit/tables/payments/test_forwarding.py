"""Outcomes as events of payments: what somebody else was refused is no answer to our confirm."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from tables.messages.outcomes import MoneyAmount, Outcome, OutcomeKind, OutcomeLine, encode_outcome
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.messages.payment_requests import confirm_request
from tables.messages.reasons import Reason
from tables.payments.forwarding import forwarded, may_concern_payment
from tests.unit.tables.payments.payment_world import ADA, AT, EVENT, PRICE, PURCHASE

OUTCOME = Outcome(kind=OutcomeKind.CONFIRMED, event=EVENT, offset=9, at=AT, purchase=PURCHASE, account=ADA)
PAID = replace(OUTCOME, payment=MoneyAmount(PRICE, "EUR"), reference="bank 1", deadline=AT)


def refused(reason: Reason) -> PaymentEventKind | None:
    """What the refusal of a command with the request of our confirm becomes; anybody can calculate that request."""
    request = confirm_request(PURCHASE)
    found = forwarded(replace(OUTCOME, kind=OutcomeKind.REFUSED, reason=reason, request=request))
    return None if found is None else found.kind


# The hold is over, or the ledger was restored to a time before it.
WITHOUT_HOLD = (Reason.NOT_HELD, Reason.UNKNOWN_PURCHASE)


@pytest.mark.parametrize("reason", WITHOUT_HOLD)
def test_a_confirm_without_a_hold_releases_the_money(reason: Reason) -> None:
    assert refused(reason) is PaymentEventKind.REFUSED


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in WITHOUT_HOLD])
def test_a_refusal_that_says_nothing_of_the_hold_releases_no_money(reason: Reason) -> None:
    assert refused(reason) is not PaymentEventKind.REFUSED


LINE = OutcomeLine(UUID(int=5), "Standing", 1, PRICE)


@pytest.mark.parametrize(
    ("kind", "left", "expected", "with_request"),
    [
        (OutcomeKind.HELD, (), PaymentEventKind.HELD, True),
        (OutcomeKind.CONFIRMED, (), PaymentEventKind.CONFIRMED, False),
        (OutcomeKind.CONFIRMED, (LINE,), PaymentEventKind.CONFIRMED, False),
        (OutcomeKind.CANCELLED, (), PaymentEventKind.ENDED, True),
        (OutcomeKind.CANCELLED, (LINE,), PaymentEventKind.REDUCED, True),
        (OutcomeKind.EXPIRED, (), PaymentEventKind.ENDED, True),
        (OutcomeKind.REFUNDED, (), PaymentEventKind.ENDED, True),
    ],
)
def test_a_decision_on_tickets_that_are_paid_online_is_told_with_what_it_says(
    kind: OutcomeKind, left: tuple[OutcomeLine, ...], expected: PaymentEventKind, with_request: bool
) -> None:
    request = UUID(int=6)
    outcome = replace(PAID, kind=kind, left=left, request=request)
    assert may_concern_payment(encode_outcome(outcome))
    assert forwarded(outcome) == PaymentEvent(
        id=f"{EVENT}@9",
        kind=expected,
        event=EVENT,
        purchase=PURCHASE,
        at=AT,
        account=ADA,
        amount=PRICE,
        currency="EUR",
        ledger_offset=9,
        deadline=AT,
        reference="bank 1",
        request=request if with_request else None,
    )
    assert forwarded(replace(outcome, payment=None)) is None
    assert forwarded(replace(outcome, purchase=None)) is None


@pytest.mark.parametrize("kind", [OutcomeKind.REJECTED, OutcomeKind.CHANGED])
def test_a_decision_that_sells_and_returns_nothing_is_no_event_of_a_payment(kind: OutcomeKind) -> None:
    assert forwarded(replace(PAID, kind=kind)) is None


def test_an_outcome_of_free_tickets_need_not_be_decoded() -> None:
    assert not may_concern_payment(encode_outcome(OUTCOME))
    assert not may_concern_payment(None)
