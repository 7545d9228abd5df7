"""Frequent warnings are logged at intervals."""

import logging

import pytest

from telemetry.rate_limited import KINDS_MAX, RateLimitedLog


def test_a_kind_of_warning_is_said_at_once_then_seldom_with_the_number_of_those_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    limited = RateLimitedLog(logging.getLogger("api.test"), 30, lambda: now[0])
    for second in range(0, 31, 10):
        now[0] = second
        limited.warning("postgres", "GET /%d: %s", second, "postgres does not answer")
    limited.warning("kafka", "POST /: kafka does not answer")
    assert [record.getMessage() for record in caplog.records] == [
        "GET /0: postgres does not answer",
        "GET /30: postgres does not answer (and 2 times since the last such line)",
        "POST /: kafka does not answer",
    ]


def test_many_kinds_of_warnings_take_no_more_room_than_a_few() -> None:
    limited = RateLimitedLog(logging.getLogger("api.test"), 30, lambda: 0.0)
    for number in range(KINDS_MAX + 5):
        limited.warning(f"row {number}", "odd")
    assert len(limited._limit._last) <= KINDS_MAX
