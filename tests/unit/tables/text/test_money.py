"""Amounts as people read them."""

from decimal import Decimal

import pytest
from babel import Locale

from tables.text.money import shown_amount


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "shown"),
    [
        ("448.50", "RSD", "en_GB", "RSD\u00a0448.50"),
        ("448.50", "RSD", "de", "448,50\u00a0RSD"),
        ("49.9", "EUR", "de", "49,90\u00a0€"),
        ("1234.50", "EUR", "en", "€1,234.50"),
        ("1.500", "KWD", "en", "KWD\u00a01.500"),
        ("1000", "JPY", "de", "1.000\u00a0¥"),
        ("-3.00", "ISK", "en", "-ISK\u00a03.00"),
    ],
)
def test_an_amount_has_its_decimals(amount: str, currency: str, locale: str, shown: str) -> None:
    assert shown_amount(Decimal(amount), currency, Locale.parse(locale)) == shown


def test_an_amount_is_shown_alike_whatever_was_shown_before() -> None:
    shown = [shown_amount(Decimal(amount), "RSD", Locale.parse("en_GB")) for amount in ("7", "7.00", "7")]
    assert shown == ["RSD\u00a07", "RSD\u00a07.00", "RSD\u00a07"]
