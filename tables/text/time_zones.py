"""Moments on the clocks of the place where an event is, whatever stands in a row for zone or time."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name (IANA). Raises ValueError where none has it."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # a name may be that of a folder, or hold what no file name can
        raise ValueError(f"no time zone is named {name!r}") from error


def local_time(moment: datetime, zone: tzinfo) -> datetime:
    """A moment in a zone. Raises ValueError where it is in no year from 1 to 9999 there."""
    try:
        return moment.astimezone(zone)
    except OverflowError as error:
        raise ValueError(f"{moment.isoformat()} lies in no year from 1 to 9999 in {zone}") from error


def shown_time(moment: datetime, zone: str) -> datetime:
    """A moment as people are told it: on the clocks of the zone, in UTC where that can't be told."""
    try:
        return local_time(moment, zone_of(zone))
    except ValueError:
        return local_time(moment, UTC)
