"""The row of a purchase that an outcome leads to."""

import json
from typing import Any

import pytest

from streams.sales import projected
from tables.errors import MalformedRecord

ID = "00000000-0000-0000-0000-000000000001"


def outcome(**more: Any) -> bytes:
    line = {"ticketType": ID, "name": "Standing", "quantity": 2, "price": more.pop("price", "10.50")}
    body = {"kind": "confirmed", "event": ID, "purchase": ID, "account": ID, "offset": 3, "at": "2026-01-02T03:04:05Z"}
    return json.dumps(body | {"status": "confirmed", "lines": [line]} | more).encode()


def test_a_row_tells_what_its_lines_are_worth() -> None:
    row = projected(outcome())
    assert row is not None
    assert str(row["total"]) == "21.00"


@pytest.mark.parametrize("kind", ["refused", "changed"])
def test_what_changes_no_purchase_has_no_row(kind: str) -> None:
    assert projected(outcome(kind=kind)) is None


@pytest.mark.parametrize("price", ["9E+999999", "sNaN"])
def test_lines_that_are_worth_no_amount_are_malformed(price: str) -> None:
    with pytest.raises(MalformedRecord, match=r"^lines"):
        projected(outcome(price=price))
