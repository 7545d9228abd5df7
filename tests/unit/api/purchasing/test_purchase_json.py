"""The quick writing of purchases says what the slow one says."""

import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from api.purchasing.purchase_json import receipt
from api.schemas.purchase import Purchase, decided
from tables.messages.commands import Buy as Command
from tables.messages.commands import TicketLine
from tables.messages.outcomes import MoneyAmount, OutcomeKind, OutcomeLine
from tables.messages.reasons import Reason
from tables.messages.statuses import PurchaseStatus
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.ledger import outcome

KINDS = uuid4(), uuid4()
LINES = (
    OutcomeLine(KINDS[0], 'Stalls "left"', 2, Decimal("10.5"), ("AAA", "BBB")),
    OutcomeLine(KINDS[1], "Käse", 1, Decimal(7)),
)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (OutcomeKind.CONFIRMED, {"lines": LINES, "total": MoneyAmount(Decimal(28), "EUR")}),
        (OutcomeKind.CONFIRMED, {"lines": LINES, "total": MoneyAmount(Decimal(28), "JPY"), "repeated": True}),
        (OutcomeKind.HELD, {"lines": LINES[1:], "total": MoneyAmount(Decimal(7), "EUR"), "deadline": NOW}),
        (OutcomeKind.CANCELLED, {"lines": LINES[1:], "left": LINES[:1], "total": MoneyAmount(Decimal(7), "BHD")}),
        (OutcomeKind.CANCELLED, {"lines": LINES, "total": MoneyAmount(Decimal(28), "EUR")}),
        (OutcomeKind.REJECTED, {"reason": Reason.SOLD_OUT, "figures": {"available": 0}}),
        (
            OutcomeKind.REFUNDED,
            {"lines": LINES, "reason": Reason.EVENT_CANCELED, "total": MoneyAmount(Decimal(28), "EUR")},
        ),
    ],
)
def test_a_receipt_is_the_purchase(kind: OutcomeKind, more: dict[str, Any]) -> None:
    command = Command(uuid4(), uuid4(), uuid4(), [TicketLine(KINDS[0], 1)])
    status = PurchaseStatus.CONFIRMED if more.get("left") else PurchaseStatus(kind.value)
    told = outcome(command, kind, status=status, **more)
    quick = receipt(told, command.purchase)
    slow = decided(told, command.purchase).model_dump_json(by_alias=True, exclude_none=True)
    assert json.loads(quick) == json.loads(slow)
    assert Purchase.model_validate_json(quick) == decided(told, command.purchase)


def test_a_purchase_given_back_in_part_has_what_is_left_and_is_worth_that() -> None:
    command = Command(uuid4(), uuid4(), uuid4(), [TicketLine(KINDS[0], 1)])
    total = MoneyAmount(Decimal(7), "EUR")
    told = outcome(
        command,
        OutcomeKind.CANCELLED,
        status=PurchaseStatus.CONFIRMED,
        lines=LINES[1:],
        left=LINES[:1],
        total=total,
    )
    shown = json.loads(receipt(told, command.purchase))
    assert (shown["status"], shown["total"]) == ("confirmed", {"amount": "21.00", "currency": "EUR"})
    assert [line["quantity"] for line in shown["lines"]] == [2]
