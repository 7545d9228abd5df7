"""Times in an event's time zone, whatever a row has for zone or time."""

from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

_THE_MACHINES_OWN: Final = {"localtime"}


@cache
def zone_names() -> frozenset[str]:
    """The names of all time zones (IANA)."""
    return frozenset(available_timezones() - _THE_MACHINES_OWN)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name (IANA). Raises ValueError if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # the name may be that of a folder, or not valid for a file
        raise ValueError(f"no time zone is named {name!r}") from error


def local_time(moment: datetime, zone: tzinfo) -> datetime:
    """A time in a zone. Raises ValueError if it is outside the years 1 to 9999 there."""
    try:
        return moment.astimezone(zone)
    except OverflowError as error:
        raise ValueError(f"{moment.isoformat()} lies in no year from 1 to 9999 in {zone}") from error


def shown_time(moment: datetime, zone: str) -> datetime:
    """A time as people see it: in the zone, or in UTC if that is impossible."""
    try:
        return local_time(moment, zone_of(zone))
    except ValueError:
        return local_time(moment, UTC)
