"""Calls that block: an answer that never ends is no answer, and the connection is not used again."""

import time
from collections.abc import Iterator

import pytest

from providers import http
from providers.http import ANSWER_MAX_BYTES, RetryingClient
from providers.port import ProviderUnavailable
from tests.unit.slow_server import ENDLESS, HEAD, SlowServer

ANSWERS = ENDLESS | {"a body for ever": (HEAD, b"x" * 65_536, 0.0)}


@pytest.fixture(params=list(ANSWERS.values()), ids=list(ANSWERS))
def slow(request: pytest.FixtureRequest) -> Iterator[SlowServer]:
    server = SlowServer(*request.param)
    yield server
    server.close()


def test_an_answer_that_does_not_end_is_given_up_in_time(slow: SlowServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "RETRY_FIRST_S", 5.0)  # one try
    began_s = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        RetryingClient(0.3).send("GET", slow.url, None, {})
    assert time.monotonic() - began_s < 2
    assert slow.answered == 1
    assert slow.sent < 20 * ANSWER_MAX_BYTES
