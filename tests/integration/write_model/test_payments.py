"""Which payments `turnstile payments reconcile` asks about, and what their tickets are worth."""

from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from ops.payments import _known
from settings import Settings
from tests.integration.write_model.conftest import Scratch

PAYMENT = """
INSERT INTO payment (event_id, purchase_id, account_id, state, provider, reference, url, due, captured, refunded,
                     currency, detail, disputed, record_offset, at)
VALUES (%s, %s, %s, %s, 'paper', %s, '', 21, 21, 0, 'EUR', '', false, 1, now())
"""
PURCHASE = """
INSERT INTO purchase (event_id, id, account_id, status, figures, lines, total, currency, paid_worth, payment_reference,
                      ledger_offset, at, made_at)
VALUES (%s, %s, %s, %s, '{}', '[]', 21, 'EUR', 21, %s, 1, now(), now())
"""


@pytest.mark.parametrize(
    ("status", "reference", "confirmed_with", "worth"),
    [
        ("confirmed", "pay-1", "pay-1", 21),
        ("confirmed", "pay-1", "cash 7", 0),  # the organizer took the money
        ("confirmed", "", None, 0),
        ("cancelled", "pay-1", "pay-1", 0),
    ],
)
def test_tickets_count_for_the_payment_with_which_they_were_confirmed(
    scratch: Scratch, status: str, reference: str, confirmed_with: str | None, worth: int
) -> None:
    event, purchase, account = uuid4(), uuid4(), UUID(int=1)
    scratch.rows(PAYMENT, event, purchase, account, "captured", reference)
    scratch.rows(PURCHASE, event, purchase, account, status, confirmed_with)
    now = Settings(ticket_key="k" * 32, database_url=scratch.url)
    [found] = _known(now, everything=True)
    assert (found.event, found.purchase, found.worth) == (event, purchase, Decimal(worth))
    assert _known(now, everything=False) == []


def test_without_a_reference_the_purchase_is_its_own(scratch: Scratch) -> None:
    event, purchase = uuid4(), uuid4()
    scratch.rows(PAYMENT, event, purchase, UUID(int=1), "capturing", "")
    scratch.rows(PURCHASE, event, purchase, UUID(int=1), "confirmed", str(purchase))
    [found] = _known(Settings(ticket_key="k" * 32, database_url=scratch.url), everything=False)
    assert found.worth == 21
