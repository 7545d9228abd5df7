"""Numbers that people type, in the reader's writing first, then in that of others."""

from decimal import Decimal

import pytest

from api.pages.event_forms import new_ticket
from api.pages.field_texts import AMOUNT, WHOLE_NUMBER
from api.pages.forms import UnreadableForm
from api.pages.language import LazyText
from api.pages.numbers import shown_number, typed_number
from tests.unit.api.pages.test_untouched_forms import plain

TICKET = {"name": "Stalls", "price": "49.90", "currency": "EUR", "quantity": "100"}


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("1700", "1700"),
        ("1,700", "1700"),
        ("1 700", "1700"),
        ("1\u202f700,50", "1700.50"),
        ("1,700.50", "1700.50"),
        ("1.700,50", "1700.50"),
        ("49,90", "49.90"),
        ("49.90", "49.90"),
        ("2,5", "2.5"),
        (" 12 ", "12"),
    ],
)
def test_a_number_is_read_as_it_was_meant(typed: str, number: str) -> None:
    assert typed_number(typed) == Decimal(number)


@pytest.mark.parametrize("typed", ["", "many", "-1", "1,2,3", "12,34,567", "1e5", "NaN", "Infinity", "٣", "1_000", "½"])
def test_what_is_no_number_is_not_read(typed: str) -> None:
    assert typed_number(typed) is None


@pytest.mark.parametrize(("typed", "text"), [("2,5", WHOLE_NUMBER), ("2.5", WHOLE_NUMBER), ("many", WHOLE_NUMBER)])
def test_a_count_that_is_not_whole_is_refused_in_words(typed: str, text: LazyText) -> None:
    with pytest.raises(UnreadableForm) as refused:
        new_ticket(TICKET | {"quantity": typed}, plain().event)
    assert refused.value.texts == {"quantity": str(text)}


def test_a_price_with_a_comma_is_understood_and_a_malformed_one_is_refused_in_words() -> None:
    assert new_ticket(TICKET | {"price": "49,90"}, plain().event).price.amount == "49.90"
    with pytest.raises(UnreadableForm) as refused:
        new_ticket(TICKET | {"price": "free"}, plain().event)
    assert refused.value.texts == {"price": str(AMOUNT)}


def test_numbers_are_shown_with_separators() -> None:
    assert shown_number(10_000_000) == "10,000,000"
