"""Only known headers of bounded size are forwarded."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.headers import FORWARDED_MAX_BYTES, first_seen, forwarded_headers

NAMES = ("traceparent", "first-seen", "ticket-request", "foreign", "dlq-done", "")


def record(*headers: tuple[str, bytes | None], at: float = 1_000.0) -> Any:
    return SimpleNamespace(headers=headers, timestamp=at)


def test_only_headers_that_we_know_go_on_and_of_each_the_last() -> None:
    message = record(("foreign", b"x"), ("traceparent", b"old"), ("traceparent", b"new"), ("first-seen", b"1"))
    assert forwarded_headers(message) == [("traceparent", b"new"), ("first-seen", b"1")]


@pytest.mark.parametrize("value", [None, b"x" * 65, b"x" * 2_000_000], ids=["null", "65", "2 MB"])
def test_a_known_header_that_can_not_be_ours_does_not_go_on(value: bytes | None) -> None:
    assert forwarded_headers(record(("traceparent", value), ("first-seen", b"1"))) == [("first-seen", b"1")]


@pytest.mark.parametrize("headers", [None, (), {}, []], ids=repr)
def test_a_record_without_headers_has_none_to_carry(headers: Any) -> None:
    assert forwarded_headers(SimpleNamespace(headers=headers)) == []  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.none() | st.binary() | st.integers().map(lambda n: b"%d" % n))))
def test_headers_of_any_kind_are_carried_within_a_bound(headers: list[tuple[str, bytes | None]]) -> None:
    message = record(*headers)
    carried = forwarded_headers(message)
    assert sum(len(name) + len(value or b"") for name, value in carried) <= sum(FORWARDED_MAX_BYTES.values()) + 60
    assert first_seen(message) <= message.timestamp


@pytest.mark.parametrize("seen", [None, b"", b"x", b"\xff", b"9" * 60, b"1" * 5_000], ids=repr)
def test_a_job_that_was_never_put_back_came_with_its_record(seen: bytes | None) -> None:
    assert first_seen(record(("first-seen", seen))) == 1_000.0
    assert first_seen(record(("first-seen", b"500250"))) == 500.25
