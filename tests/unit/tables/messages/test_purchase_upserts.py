"""Rows of purchases: a schema that fits each row, and only outcomes that tell a new state."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tables.messages.outcomes import MoneyAmount, Outcome, OutcomeKind, OutcomeLine
from tables.messages.purchase_upserts import SCHEMA, TOTAL_SCALE, PurchaseColumns, PurchaseUpsert, upsert_key, upsert_of
from tables.messages.statuses import PurchaseStatus

EVENT, PURCHASE, ACCOUNT, STALLS, CIRCLE = (UUID(int=number) for number in range(1, 6))
LINES = (
    OutcomeLine(STALLS, "Stalls", 2, Decimal("49.90"), ("AAA", "BBB")),
    OutcomeLine(CIRCLE, "Circle", 1, Decimal(5)),
)


# Connect's types as JSON.
TYPES = {"string": str, "int64": int, "bytes": str}


def outcome(**more: Any) -> Outcome:
    fields: dict[str, Any] = {
        "kind": OutcomeKind.CONFIRMED,
        "event": EVENT,
        "purchase": PURCHASE,
        "account": ACCOUNT,
        "offset": 7,
        "at": datetime(2030, 1, 1, tzinfo=UTC),
        "status": PurchaseStatus.CONFIRMED,
        "lines": LINES,
        "total": MoneyAmount(Decimal("104.80"), "EUR"),
    }
    return Outcome(**(fields | more))


def columns(**more: Any) -> PurchaseColumns:
    upsert = upsert_of(outcome(**more))
    assert upsert is not None
    return upsert.payload


def total(row: PurchaseColumns) -> Decimal:
    """As Connect reads it."""
    return Decimal(int.from_bytes(row.total, "big", signed=True)).scaleb(-TOTAL_SCALE)


def test_a_row_has_what_was_decided_and_no_codes() -> None:
    row = columns(deadline=datetime(2030, 1, 1, 0, 0, 1, tzinfo=UTC))
    assert (row.status, row.tickets, total(row), row.currency) == ("confirmed", 3, Decimal("104.8"), "EUR")
    assert (row.ledger_offset, row.updated_at, row.deadline) == (7, 1_893_456_000_000, 1_893_456_001_000)
    assert json.loads(row.lines)[0] == {"ticketTypeId": str(STALLS), "quantity": 2, "price": "49.90"}
    assert upsert_key(row) == f"{EVENT}.{PURCHASE}".encode()
    assert b"AAA" not in msgspec.json.encode(row)


def test_after_a_partial_cancel_a_row_has_what_is_left() -> None:
    row = columns(kind=OutcomeKind.CANCELLED, lines=LINES[1:], left=LINES[:1])
    assert (row.tickets, total(row)) == (2, Decimal("99.8"))


@pytest.mark.parametrize("price", ["0", "0.0127", "0.0128", "0.0255", "12.7999", "9999999999.9999", "0.00005", "1E+9"])
def test_any_price_is_told_to_the_ten_thousandth(price: str) -> None:
    row = columns(lines=(OutcomeLine(STALLS, "", 1, Decimal(price)),))
    assert row.total
    assert total(row) == round(Decimal(price), TOTAL_SCALE)


@pytest.mark.parametrize(
    "more",
    [
        {"kind": OutcomeKind.REFUSED},
        {"kind": OutcomeKind.CHANGED},
        {"repeated": True},
        {"purchase": None},
        {"account": None},
        {"status": None},
    ],
)
def test_an_outcome_without_a_new_state_has_no_row(more: dict[str, Any]) -> None:
    assert upsert_of(outcome(**more)) is None


def test_the_schema_names_each_column_with_the_type_of_its_value() -> None:
    full = columns(deadline=datetime(2030, 1, 1, tzinfo=UTC), reason="sold-out")
    told = json.loads(msgspec.json.encode(PurchaseUpsert(SCHEMA, full)))
    fields = told["schema"]["fields"]
    assert [field["field"] for field in fields] == list(told["payload"])
    for field in fields:
        assert type(told["payload"][field["field"]]) is TYPES[field["type"]]
    assert {field["field"] for field in fields if field["optional"]} == {"reason", "currency", "deadline"}
    logical = {field["field"]: field["name"].rpartition(".")[2] for field in fields if "name" in field}
    assert logical == {"total": "Decimal", "deadline": "Timestamp", "updated_at": "Timestamp"}
