"""Promise 9: every field in which PostgreSQL and the ledger differ is named with both values."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tables.ledger.definition_differences import ABSENT, FieldDifference, field_differences
from tables.messages.commands import DefineEvent
from tables.messages.statuses import EventStatus
from tests.unit.tables.ledger_driver import EVENT, FLOOR, NOW, STAND, definition, moment, ticket_type

KNOWN = DefineEvent(EVENT, 3, definition(ticket_type(), capacity=50))
FLOOR_NAME = f"ticket type {FLOOR}"


def test_equal_definitions_do_not_differ_and_the_order_and_form_of_ticket_types_do_not_count() -> None:
    one = replace(KNOWN, definition=definition(ticket_type(), ticket_type(STAND)))
    other = replace(KNOWN, definition=definition(ticket_type(STAND), ticket_type(price=Decimal("49.9"))))
    assert field_differences(one, other) == ()


def test_case_k8_a_foreign_definition_is_named_by_version_price_and_quantity() -> None:
    foreign = DefineEvent(EVENT, 2**62, definition(ticket_type(quantity=500, price=Decimal("0.01")), capacity=50))
    assert [str(each) for each in field_differences(KNOWN, foreign)] == [
        "version: PostgreSQL says 3, the ledger 4611686018427387904",
        f"{FLOOR_NAME} price: PostgreSQL says 49.90, the ledger 0.01",
        f"{FLOOR_NAME} quantity: PostgreSQL says 10, the ledger 500",
    ]


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("currency", {"currency": "USD"}),
        ("maxPerOrder", {"max_per_order": 2}),
        ("maxPerAccount", {"max_per_account": 4}),
        ("saleStartsAt", {"sale_starts_at": moment(NOW)}),
        ("saleEndsAt", {"sale_ends_at": moment(NOW)}),
    ],
)
def test_each_field_of_a_ticket_type_counts(field: str, change: dict[str, Any]) -> None:
    other = replace(KNOWN, definition=definition(ticket_type(**change), capacity=50))
    [found] = field_differences(KNOWN, other)
    shown = {"currency": "EUR", "saleEndsAt": str(KNOWN.definition.ends_at)}
    assert (found.field, found.postgres) == (f"{FLOOR_NAME} {field}", shown.get(field, "none"))


def test_a_sale_ends_with_its_event_whoever_says_so() -> None:
    ends = KNOWN.definition.ends_at
    for later in (ends, ends + timedelta(days=1)):
        other = replace(KNOWN, definition=definition(ticket_type(sale_ends_at=later), capacity=50))
        assert field_differences(KNOWN, other) == ()


def test_status_and_limits_of_the_event_count() -> None:
    other = replace(KNOWN, definition=definition(ticket_type(), status=EventStatus.ON_HOLD))
    assert field_differences(KNOWN, other) == (
        FieldDifference("status", "ACTIVE", "ON_HOLD"),
        FieldDifference("capacity", "50", "none"),
    )


def test_a_ticket_type_that_one_side_lacks_is_named() -> None:
    more = replace(KNOWN, definition=definition(ticket_type(), ticket_type(STAND), capacity=50))
    name = f"ticket type {STAND}"
    assert field_differences(more, KNOWN) == (FieldDifference(name, "is sold", "is not"),)
    assert field_differences(KNOWN, more) == (FieldDifference(name, "is not", "is sold"),)


def test_an_event_that_one_side_lacks_counts_while_it_sells() -> None:
    deleted = replace(KNOWN, definition=definition(status=EventStatus.CANCELED))
    draft = replace(KNOWN, definition=definition(status=EventStatus.DRAFT))
    assert field_differences(None, KNOWN) == (FieldDifference("status", ABSENT, "ACTIVE"),)
    assert field_differences(KNOWN, None) == (FieldDifference("status", "ACTIVE", ABSENT),)
    assert (field_differences(None, deleted), field_differences(draft, None)) == ((), ())
