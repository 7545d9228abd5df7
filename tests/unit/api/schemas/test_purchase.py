"""What is written of an outcome is the purchase that the API describes, with what the outcome says."""

import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from api.schemas.purchase import Purchase, public_id, purchase_json
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


TOLD = [
    {"ticketTypeId": str(KINDS[0]), "name": 'Stalls "left"', "quantity": 2, "codes": ["AAA", "BBB"]},
    {"ticketTypeId": str(KINDS[1]), "name": "Käse", "quantity": 1, "codes": []},
]


def euros(*prices: str) -> list[dict[str, Any]]:
    """The lines as they are told, with these prices."""
    return [told | {"price": {"amount": price, "currency": "EUR"}} for told, price in zip(TOLD, prices, strict=False)]


def worth(amount: str, currency: str = "EUR") -> dict[str, Any]:
    """The total as it is told."""
    return {"total": {"amount": amount, "currency": currency}}


PURCHASE = uuid4()
EVENT = uuid4()
DUE = {
    "payment": {
        "due": {"amount": "21.00", "currency": "EUR"},
        "deadline": "2030-01-02T03:04:05Z",
        "url": f"/purchases/{public_id(EVENT, PURCHASE)}/payment",
    }
}


@pytest.mark.parametrize(
    ("kind", "more", "told"),
    [
        (
            OutcomeKind.CONFIRMED,
            {"lines": LINES, "total": MoneyAmount(Decimal(28), "EUR")},
            {"lines": euros("10.50", "7.00")} | worth("28.00"),
        ),
        (
            OutcomeKind.CONFIRMED,
            {"lines": LINES[1:], "total": MoneyAmount(Decimal(7), "JPY"), "repeated": True},
            {"lines": [TOLD[1] | {"price": {"amount": "7", "currency": "JPY"}}]} | worth("7", "JPY"),
        ),
        (
            OutcomeKind.HELD,
            {"lines": LINES[:1], "total": MoneyAmount(Decimal(21), "EUR"), "deadline": NOW},
            {"lines": euros("10.50"), "deadline": "2030-01-02T03:04:05Z"} | worth("21.00"),
        ),
        (
            OutcomeKind.HELD,
            {
                "lines": LINES[:1],
                "total": MoneyAmount(Decimal(21), "EUR"),
                "deadline": NOW,
                "payment": MoneyAmount(Decimal(21), "EUR"),
            },
            {"lines": euros("10.50"), "deadline": "2030-01-02T03:04:05Z"} | worth("21.00") | DUE,
        ),
        (
            OutcomeKind.CONFIRMED,
            {
                "lines": LINES[:1],
                "total": MoneyAmount(Decimal(21), "EUR"),
                "payment": MoneyAmount(Decimal(21), "EUR"),
                "reference": "pi_1",
            },
            {"lines": euros("10.50"), "payment": {"reference": "pi_1"}} | worth("21.00"),
        ),
        (
            OutcomeKind.EXPIRED,
            {
                "lines": LINES[:1],
                "total": MoneyAmount(Decimal(21), "EUR"),
                "payment": MoneyAmount(Decimal(0), "EUR"),
            },
            {"lines": euros("10.50")} | worth("21.00"),
        ),
        (
            OutcomeKind.CANCELLED,
            {"lines": LINES[1:], "left": LINES[:1], "returned": 1, "total": MoneyAmount(Decimal(7), "BHD")},
            {"returned": 1, "lines": [TOLD[0] | {"price": {"amount": "10.500", "currency": "BHD"}}]}
            | worth("21.000", "BHD"),
        ),
        (
            OutcomeKind.CANCELLED,
            {"lines": LINES, "total": MoneyAmount(Decimal(28), "EUR")},
            {"lines": euros("10.50", "7.00")} | worth("28.00"),
        ),
        (
            OutcomeKind.REJECTED,
            {"reason": Reason.SOLD_OUT, "figures": {"available": 0}},
            {"lines": [], "reason": "sold-out", "figures": {"available": 0}},
        ),
        (
            OutcomeKind.REFUNDED,
            {"lines": LINES, "reason": Reason.EVENT_CANCELED, "total": MoneyAmount(Decimal(28), "EUR")},
            {"lines": euros("10.50", "7.00"), "reason": "event-canceled"} | worth("28.00"),
        ),
    ],
)
def test_what_is_written_is_the_purchase_that_the_api_describes(
    kind: OutcomeKind, more: dict[str, Any], told: dict[str, Any]
) -> None:
    command = Command(EVENT, PURCHASE, uuid4(), [TicketLine(KINDS[0], 1)])
    status = PurchaseStatus.CONFIRMED if more.get("left") else PurchaseStatus(kind.value)
    written = json.loads(purchase_json(outcome(command, kind, status=status, **more), command.purchase))
    assert written == told | {
        "id": public_id(command.event, command.purchase),
        "eventId": str(command.event),
        "accountId": str(command.account),
        "status": status.value,
        "decidedAt": "2030-01-02T03:04:05Z",
    }
    described = Purchase.model_validate(written).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert described == written


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
    shown = json.loads(purchase_json(told, command.purchase))
    assert (shown["status"], shown["total"]) == ("confirmed", {"amount": "21.00", "currency": "EUR"})
    assert [line["quantity"] for line in shown["lines"]] == [2]
