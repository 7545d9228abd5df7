"""Texts, times and amounts in the language of a mail's recipient."""

import tomllib
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone_name

from tables.text.money import shown_amount
from tables.text.time_zones import shown_time

FOLDER: Final = Path(__file__).parent / "templates" / "words"
LANGUAGES: Final = ("en", "de", "es", "fr")
FALLBACK: Final = Locale("en")


class Translator:
    """The texts of one locale."""

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        self.language = locale.language
        self._texts = _texts(locale.language)

    def say(self, key: str, **values: object) -> str:
        """The text of a key (``section.key``), with ``values`` inserted as they are."""
        found: Any = self._texts
        for part in key.split("."):
            found = found[part]
        return str(found).format(**values)

    def money(self, amount: Decimal, currency: str) -> str:
        """An amount, formatted for its currency and the locale."""
        return shown_amount(amount, currency, self.locale)

    def time(self, moment: datetime, zone: str) -> str:
        """A moment as local time in ``zone``, with the zone's name."""
        return _time(moment, zone, self.locale)


@lru_cache(maxsize=1_000)
def translator_for(tag: str) -> Translator:
    """The translator for a language tag (BCP 47); English for a language without texts."""
    try:
        locale = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        locale = FALLBACK
    return Translator(locale if locale.language in LANGUAGES else FALLBACK)


@cache
def _texts(language: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=10_000)
def _time(moment: datetime, zone: str, locale: Locale) -> str:
    local = shown_time(moment, zone)
    place = local.tzinfo
    day = format_date(local, "full", locale=locale)
    hour = format_time(local, "short", tzinfo=place, locale=locale)
    name = get_timezone_name(local, "long", locale=locale)
    return f"{day}, {hour} ({', '.join(dict.fromkeys([name, str(place)]))})"
