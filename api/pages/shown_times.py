"""Times as the reader's language writes them, in the time zone of the event."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from babel.dates import format_datetime

from api.pages.language import gettext, language, locale
from tables.text.time_zones import shown_time

ONE_DAY: Final = timedelta(days=1)
# What differs in a pattern in the order of English, by language. CLDR has no pattern for some of them.
_PATTERN_CHANGES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "de": (("EEEE d", "EEEE, d"), ("d MMM", "d. MMM")),
    "es": (("EEEE d", "EEEE, d"), ("d MMMM", "d 'de' MMMM"), ("MMMM y", "MMMM 'de' y"), ("HH:mm", "H:mm")),
    "pl": (("EEEE d", "EEEE, d"),),
}


def when(moment: datetime, zone: str) -> str:
    """A moment in its time zone, in full: ``Friday 17 May 2030, 20:00 (Vienna time)``."""
    return _with_city(part(moment, zone, "EEEE d MMMM y, HH:mm"), zone)


def clock(moment: datetime, zone: str) -> str:
    """A time of day in its time zone: ``20:00 (Vienna time)``."""
    return _with_city(part(moment, zone, "HH:mm"), zone)


def part(moment: datetime, zone: str, pattern: str) -> str:
    """A moment in its time zone, by a Unicode date pattern in the order of English (``d``, ``MMM``, ``HH:mm``)."""
    return _part(moment, zone, pattern, language())


def until(ends: datetime, starts: datetime, zone: str) -> str:
    """When something ends, for a reader who knows when it starts: the time, and the day if it is another one."""
    is_same_day = shown_time(ends, zone).date() == shown_time(starts, zone).date()
    return part(ends, zone, "HH:mm" if is_same_day else "EEEE d MMMM y, HH:mm")


def last_day(ends: datetime, starts: datetime, zone: str) -> str:
    """The last day of something that lasts for more than a day, with a dash; empty for anything shorter."""
    return f"– {part(ends, zone, 'd MMMM')}" if ends - starts > ONE_DAY else ""


def _with_city(time: str, zone: str) -> str:
    """A time with the city of its time zone: ``Vienna`` for Europe/Vienna."""
    known: str = locale().time_zones.get(zone, {}).get("city", "")
    city = known or zone.rpartition("/")[2].replace("_", " ")
    return gettext("%(time)s (%(city)s time)") % {"time": time, "city": city}


@lru_cache(maxsize=10_000)
def _part(moment: datetime, zone: str, pattern: str, language_name: str) -> str:
    for english, other in _PATTERN_CHANGES.get(language_name, ()):
        pattern = pattern.replace(english, other)
    local = shown_time(moment, zone)
    return str(format_datetime(local, pattern, local.tzinfo, locale(language_name)))


FILTERS: Final[Mapping[str, Any]] = {
    "when": when,
    "clock": clock,
    "part": part,
    "until": until,
    "last_day": last_day,
}
