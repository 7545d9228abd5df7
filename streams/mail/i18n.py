"""Texts, times and amounts in the language of a mail's recipient."""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone_name

from tables.text.money import shown_amount
from tables.text.time_zones import shown_time
from translations.catalogues import LANGUAGES, SOURCE_LANGUAGE, catalogue

DOMAIN: Final = "mails"
FALLBACK: Final = Locale(SOURCE_LANGUAGE)


class Translator:
    """The texts of one locale: ``gettext`` and ``ngettext`` look them up in the catalogue."""

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        self.language = locale.language
        texts = catalogue(locale.language, DOMAIN)
        self.gettext, self.ngettext = texts.gettext, texts.ngettext

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


@lru_cache(maxsize=10_000)
def _time(moment: datetime, zone: str, locale: Locale) -> str:
    local = shown_time(moment, zone)
    place = local.tzinfo
    day = format_date(local, "full", locale=locale)
    hour = format_time(local, "short", tzinfo=place, locale=locale)
    name = get_timezone_name(local, "long", locale=locale)
    return f"{day}, {hour} ({', '.join(dict.fromkeys([name, str(place)]))})"
