"""Milliseconds of the log and datetimes are converted both ways, and times outside of datetime's range are clamped."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tables.messages.encoding import DATETIME_MAX_MS, DATETIME_MIN_MS, from_milliseconds, to_milliseconds


@pytest.mark.parametrize("milliseconds", [DATETIME_MIN_MS, -1, 0, 1, 1_900_000_000_123, DATETIME_MAX_MS])
def test_a_time_survives_both_conversions(milliseconds: int) -> None:
    assert to_milliseconds(from_milliseconds(milliseconds)) == milliseconds


def test_a_time_is_in_utc_and_any_offset_is_accepted() -> None:
    time = datetime(2030, 1, 2, 3, 4, 5, 678000, timezone(timedelta(hours=2)))
    assert from_milliseconds(to_milliseconds(time)) == time
    assert from_milliseconds(0) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milliseconds", "year"), [(DATETIME_MIN_MS - 1, 1), (DATETIME_MAX_MS + 1, 9999), (2**62, 9999)]
)
def test_a_time_out_of_range_is_clamped(milliseconds: int, year: int) -> None:
    assert from_milliseconds(milliseconds).year == year
