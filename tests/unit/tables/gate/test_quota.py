"""Quotas: a burst, then a steady rate, by the records' own times."""

import pytest

from tables.gate.quota import BATCH_MAX_RECORDS, BATCH_MIN_RECORDS, BATCH_S, BURST_S, PACE, Quota

NOW = 1_900_000_000_000
QUOTA = Quota(10)


def admitted(times: list[int]) -> list[int | None]:
    full_at, found = 0, []
    for at in times:
        full_at, retry_at = QUOTA.take(full_at, at)
        found.append(retry_at)
    return found


def test_a_burst_is_let_through_and_the_next_is_told_when_to_try_again() -> None:
    burst = QUOTA.rate * BURST_S
    assert admitted([NOW] * (burst + 1)) == [None] * burst + [NOW + 100]


def test_at_the_time_that_it_was_told_a_request_is_let_through() -> None:
    burst = QUOTA.rate * BURST_S
    assert admitted([NOW] * (burst + 2) + [NOW + 99, NOW + 100, NOW + 100])[burst:] == [
        NOW + 100,
        NOW + 100,
        NOW + 100,
        None,
        NOW + 200,
    ]


def test_a_producer_within_its_rate_never_waits() -> None:
    assert set(admitted([NOW + 100 * number for number in range(200)])) == {None}


def test_a_time_that_goes_back_gives_nothing_away() -> None:
    burst = QUOTA.rate * BURST_S
    assert admitted([NOW] * burst + [NOW - 60_000])[-1] == NOW - 60_000 + 100


def test_a_clock_that_was_set_back_by_an_hour_refuses_nobody_for_an_hour() -> None:
    """The bucket is as empty as it was, and fills at its rate."""
    hour, burst = 3_600_000, QUOTA.rate * BURST_S
    assert admitted([NOW + hour] * burst + [NOW, NOW + 100, NOW + 100])[burst:] == [NOW + 100, None, NOW + 200]


def test_a_producer_takes_its_turn_in_batches_of_a_part_of_a_second() -> None:
    assert [Quota(rate).batch_max_records for rate in (1, 800, 999_999)] == [
        BATCH_MIN_RECORDS,
        int(BATCH_S * 800),
        BATCH_MAX_RECORDS,
    ]


def test_a_burst_takes_as_long_as_its_part_of_the_rate_whatever_its_batches() -> None:
    burst = QUOTA.rate * BURST_S
    assert QUOTA.pause_s(0) == 0
    assert sum(QUOTA.pause_s(each) for each in (burst - 7, 7)) == pytest.approx(BURST_S / PACE)
