"""Every time can be shown; times that don't exist in a zone are refused."""

from datetime import UTC, datetime

import pytest

from tables.text.time_zones import local_time, shown_time, zone_of

LAST = datetime.max.replace(tzinfo=UTC)
FIRST = datetime.min.replace(tzinfo=UTC)


@pytest.mark.parametrize("name", ["Mars/Phobos", "America", "../etc/passwd", "/etc/localtime", "a\0b", "x" * 9_000, ""])
def test_a_name_that_no_zone_has_is_refused_and_shown_in_utc(name: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        zone_of(name)
    assert shown_time(LAST, name) == LAST


@pytest.mark.parametrize(("moment", "zone"), [(LAST, "Europe/Vienna"), (FIRST, "America/New_York")])
def test_a_moment_beyond_the_calendar_is_refused_and_shown_in_utc(moment: datetime, zone: str) -> None:
    with pytest.raises(ValueError, match="no year"):
        local_time(moment, zone_of(zone))
    assert shown_time(moment, zone).tzinfo is UTC


def test_a_moment_is_shown_as_the_clocks_there_show_it() -> None:
    assert shown_time(datetime(2030, 7, 1, 18, tzinfo=UTC), "Europe/Vienna").hour == 20
