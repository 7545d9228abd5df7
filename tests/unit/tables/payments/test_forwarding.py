"""Outcomes as events of payments: what somebody else was refused is no answer to our confirm."""

import pytest

from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.payment_events import PaymentEventKind
from tables.messages.payment_requests import confirm_request
from tables.messages.reasons import Reason
from tables.payments.forwarding import forwarded
from tests.unit.tables.payments.payment_world import ADA, AT, EVENT, PURCHASE


def refused(reason: Reason) -> PaymentEventKind | None:
    """What the refusal of a command with the request of our confirm becomes; anybody can calculate that request."""
    request = confirm_request(PURCHASE)
    found = forwarded(
        Outcome(
            kind=OutcomeKind.REFUSED,
            event=EVENT,
            offset=9,
            at=AT,
            purchase=PURCHASE,
            account=ADA,
            reason=reason,
            request=request,
        )
    )
    return None if found is None else found.kind


# The hold is over, or the ledger was restored to a time before it.
WITHOUT_HOLD = (Reason.NOT_HELD, Reason.UNKNOWN_PURCHASE)


@pytest.mark.parametrize("reason", WITHOUT_HOLD)
def test_a_confirm_without_a_hold_releases_the_money(reason: Reason) -> None:
    assert refused(reason) is PaymentEventKind.REFUSED


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in WITHOUT_HOLD])
def test_a_refusal_that_says_nothing_of_the_hold_releases_no_money(reason: Reason) -> None:
    assert refused(reason) is not PaymentEventKind.REFUSED
