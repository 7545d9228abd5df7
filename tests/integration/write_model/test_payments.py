"""What `turnstile payments reconcile` asks about, what tickets are worth, and the payments that buyers wait for."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from psycopg.errors import CheckViolation

from api.adapters.payments import SELECT_AWAITED, PaymentRows
from api.adapters.postgres.database import Database
from ops.payments import _known
from settings import Settings
from tables.messages.encoding import encode_json
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


AMOUNTS = [
    *(("payment", name) for name in ("due", "authorized", "captured", "refunded", "refundable", "goodwill", "fee")),
    ("purchase", "paid_worth"),
]


@pytest.mark.parametrize(("table", "column"), AMOUNTS)
@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e300"])
def test_an_amount_with_which_no_sum_could_be_told_is_refused(
    scratch: Scratch, table: str, column: str, amount: str
) -> None:
    event, purchase = uuid4(), uuid4()
    scratch.rows(PAYMENT, event, purchase, UUID(int=1), "captured", "pay-1")
    scratch.rows(PURCHASE, event, purchase, UUID(int=1), "confirmed", "pay-1")
    with pytest.raises(CheckViolation, match=f"{table}_{column}_bound"):
        scratch.rows(f"UPDATE {table} SET {column} = %s WHERE event_id = %s", Decimal(amount), event)  # noqa: S608


MANY = """
INSERT INTO payment (event_id, purchase_id, account_id, state, provider, reference, url, due, captured, refunded,
                     currency, detail, disputed, record_offset, at)
SELECT %s, gen_random_uuid(), gen_random_uuid(), 'due', 'paper', '', '', 21, 0, 0, 'EUR', '', false, 1, now()
FROM generate_series(1, 2000)
"""


PAID = """
INSERT INTO purchase (event_id, id, account_id, status, figures, lines, total, currency, paid_worth, ledger_offset, at,
                      made_at)
SELECT %s, gen_random_uuid(), gen_random_uuid(), 'held', '{}', '[]', 21, 'EUR', 21, 1, now(), now()
FROM generate_series(1, 60)
"""


def awaited(event: UUID, purchase: UUID, since: datetime | None) -> bytes:
    return encode_json({"event_id": event, "purchase_id": purchase, "since_at": since})


async def unsent(*_: object) -> None:
    raise AssertionError("nothing is sent")


def test_buyers_get_the_payments_that_are_there_and_have_changed(scratch: Scratch, database: Database) -> None:
    event, first, paged = uuid4(), uuid4(), uuid4()
    scratch.rows(PAYMENT, event, first, UUID(int=1), "due", "")
    scratch.rows(PAYMENT, event, paged, UUID(int=2), "authorizing", "pay-1")
    scratch.rows("UPDATE payment SET url = 'https://pay.example/1' WHERE purchase_id = %s", paged)
    before, after = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)
    found = [awaited(event, first, None), awaited(event, paged, before)]
    others = [awaited(event, first, before), awaited(event, paged, after), awaited(uuid4(), first, None)]
    rows = PaymentRows(database, unsent, {})._read([*others, *found])
    assert {key: payment.account for key, payment in rows.items()} == dict(
        zip(found, [UUID(int=1), UUID(int=2)], strict=True)
    )


def test_a_payment_is_found_by_its_key_also_in_a_table_without_statistics(scratch: Scratch, database: Database) -> None:
    event = uuid4()
    scratch.rows(MANY, event)
    asked = b",".join(awaited(event, uuid4(), None) for _ in range(100)).decode()
    with database.transaction() as connection:
        plan = connection.execute(f"EXPLAIN {SELECT_AWAITED}", {"awaited": f"[{asked}]"}).fetchall()
    assert "payment_pkey" in str(plan)
    assert "Seq Scan" not in str(plan)


def test_an_organizer_pages_through_the_purchases_that_are_paid(scratch: Scratch, database: Database) -> None:
    event = uuid4()
    scratch.rows(PAID, event)
    payments = PaymentRows(database, unsent, {})
    first, following = payments.of_event(event, None)
    second, end = payments.of_event(event, following)
    assert (len(first), len({each.id for each in (*first, *second)}), end) == (50, 60, None)
