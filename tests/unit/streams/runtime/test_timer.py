"""Timed work goes on after a rebalance and after Kafka's errors; any other error ends the process."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from streams.runtime import timer
from streams.runtime.agents import Interrupted
from streams.runtime.timer import run_timer


def run(monkeypatch: pytest.MonkeyPatch, *results: bool | Exception) -> tuple[int, list[str]]:
    """How often the work is called if it ends so, and the errors that end the process."""
    app: Any = SimpleNamespace(should_stop=False)
    left, ended = list(results), list[str]()
    calls = 0

    async def work() -> bool:
        nonlocal calls
        calls += 1
        result = left.pop(0)
        app.should_stop = not left
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(timer, "RETRY_S", 0)
    monkeypatch.setattr(timer, "fail_stop", lambda name, error: ended.append(f"{name}: {error}"))
    asyncio.run(run_timer(app, work, name="reminders", interval_s=0))
    return calls, ended


def test_work_goes_on_whatever_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, True, False, True) == (3, [])


def test_a_rebalance_and_an_error_of_kafka_put_it_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert run(monkeypatch, Interrupted(), KafkaConnectionError(), False) == (3, [])
    [line] = caplog.messages
    assert line.startswith("reminders is put off: KafkaConnectionError")


def test_any_other_error_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, ValueError("broken"))[1] == ["reminders: broken"]
