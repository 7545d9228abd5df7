"""Numbers, amounts and counted nouns as the reader's language writes them, shown and typed: one rule for all pages."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from babel import Locale
from babel.numbers import NumberFormatError, format_decimal, get_decimal_symbol, get_group_symbol, parse_decimal

from api.pages.language import gettext, language, locale, ngettext
from api.schemas.fields import Money
from api.schemas.purchase import BoughtLine
from tables.text.money import shown_amount
from tables.text.sanitize import sanitize

# What is no number in the reader's language may be one in the others: ``49,90`` in English. A number that both can
# read, like ``1,700``, is the reader's.
_OTHER_LOCALES: Final = tuple(map(Locale.parse, ("en_GB", "de", "fr")))
_SPACES: Final = " \u00a0\u202f"
_TYPED: Final = re.compile(rf"[0-9][0-9.,{_SPACES}]{{0,39}}", re.ASCII)


def shown_number(value: float | Decimal, language_name: str = "") -> str:
    """A number with separators, ``1,700``, in the language of the request or in another one."""
    return _shown(value, language_name or language())


def rate(value: float) -> str:
    """A number with one decimal: ``1,700.5``."""
    return str(format_decimal(value, "#,##0.0", locale()))


def shown_price(amount: Decimal) -> str:
    """An amount for a field of a form, with all its decimals and without separators: ``1700.50``."""
    return f"{amount:f}".replace(".", get_decimal_symbol(locale()))


def typed_number(text: str) -> Decimal | None:
    """The number that was typed; None if it is none, or negative."""
    typed = text.strip()
    if not _TYPED.fullmatch(typed):
        return None
    read = (_read(typed, each) for each in (locale(), *_OTHER_LOCALES))
    return next((number for number in read if number is not None), None)


def money(amount: Money) -> str:
    """A formatted amount; ``free`` for 0."""
    return gettext("free") if amount.exact == 0 else plain_amount(amount)


def plain_amount(amount: Money) -> str:
    """A formatted amount, also of 0."""
    return shown_amount(amount.exact, amount.currency, locale())


def line_total(line: BoughtLine) -> str:
    """The price of all tickets of a line."""
    return money(Money.of(line.price.exact * line.quantity, line.price.currency))


@lru_cache(maxsize=10_000)
def _shown(value: float | Decimal, language_name: str) -> str:
    return format_decimal(value, locale=locale(language_name))


def _read(typed: str, of_locale: Locale) -> Decimal | None:
    group = get_group_symbol(of_locale)
    if group in _SPACES:  # keyboards lack the spaces that are not a word's end
        typed = typed.translate(dict.fromkeys(map(ord, _SPACES), group))
    try:
        return parse_decimal(typed, locale=of_locale, strict=True)
    except NumberFormatError:
        return None


def _counted(text: str, number: int) -> str:
    return text % {"number": shown_number(number)}


FILTERS: Final[Mapping[str, Any]] = {
    "money": money,
    "amount": plain_amount,
    "number": shown_number,
    "rate": rate,
    "line_total": line_total,
    "tickets": lambda number: _counted(ngettext("%(number)s ticket", "%(number)s tickets", number), number),
    "events": lambda number: _counted(ngettext("%(number)s event", "%(number)s events", number), number),
    "people": lambda number: _counted(ngettext("%(number)s person", "%(number)s people", number), number),
    "purchases": lambda number: _counted(ngettext("%(number)s purchase", "%(number)s purchases", number), number),
    "plain": sanitize,
}
