"""Times in forms: local times of a time zone, and which of two if the clock shows that time twice."""

from datetime import UTC, datetime, tzinfo

from api.pages.field_texts import MOMENT, REPEATED, SKIPPED, Unreadable
from api.pages.language import gettext
from tables.text.time_zones import shown_time, zone_of

# A time that the clock shows twice is told apart by Python's ``fold``.
FIRST, SECOND = "0", "1"
YEAR_MIN, YEAR_MAX = 1900, 2300


def form_time(moment: datetime | None, zone: str) -> str:
    """A moment as the value of a field: a local time, with seconds if it has any; empty for None."""
    if moment is None:
        return ""
    local = _local(moment, zone)
    precision = "milliseconds" if local.microsecond else "seconds" if local.second else "minutes"
    return local.replace(tzinfo=None).isoformat(timespec=precision)


def form_fold(moment: datetime | None, zone: str) -> str:
    """Whether a moment is the first or the second of its local time; empty if there is only one."""
    if moment is None:
        return ""
    local = _local(moment, zone)
    return str(local.fold) if repeated(form_time(moment, zone), zone) else ""


def typed_moment(text: str, zone: str, fold: str) -> datetime:
    """The moment of a typed local time. Raises Unreadable, also for a time that never comes or comes twice."""
    if typed_local(text) is None:
        raise Unreadable(MOMENT)
    moments = _moments(text, zone)
    if not moments:
        raise Unreadable(SKIPPED)
    if len(moments) > 1 and fold not in (FIRST, SECOND):
        raise Unreadable(REPEATED)
    return moments[-1] if fold == SECOND else moments[0]


def repeated(text: str, zone: str) -> list[tuple[str, str]]:
    """The two choices for a typed local time that comes twice, as value and label; empty for any other."""
    moments = _moments(text, zone)
    if len(moments) < 2:
        return []
    first, second = gettext("The first, %(zone)s"), gettext("The second, %(zone)s")
    return [(FIRST, first % {"zone": moments[0].tzname()}), (SECOND, second % {"zone": moments[1].tzname()})]


def _moments(text: str, zone: str) -> list[datetime]:
    """The moments at which the clocks of the zone show a typed local time: none, one, or two."""
    local, there = typed_local(text), _zone(zone)
    if local is None:
        return []
    both = [local.replace(tzinfo=there, fold=fold) for fold in (0, 1)]
    real = [each for each in both if each.astimezone(UTC).astimezone(there).replace(tzinfo=None) == local]
    return real[:1] if both[0].utcoffset() == both[1].utcoffset() else real


def typed_local(text: str) -> datetime | None:
    """The value of a field as a local time; None if it is malformed or absurdly early or late."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    return local if local.tzinfo is None and YEAR_MIN <= local.year < YEAR_MAX else None


def _local(moment: datetime, zone: str) -> datetime:
    return shown_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC), zone)


def _zone(name: str) -> tzinfo:
    """The zone; UTC for one that does not exist, which the field of the zone reports."""
    try:
        return zone_of(name)
    except ValueError:
        return UTC
