import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from streams import patience
from streams.batches import Interrupted
from streams.figures import Figures
from streams.patience import patiently


class Passing(Exception):
    """A fault that passes."""


def app(*, active: bool = True, should_stop: bool = False) -> Any:
    flow = SimpleNamespace(is_active=lambda: active)
    return SimpleNamespace(should_stop=should_stop, flow_control=flow, figures=Figures())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(patience, "LOOK_S", 0.001)


def failing(times: int) -> Any:
    left = [Passing("down")] * times

    async def action() -> str:
        if left:
            raise left.pop()
        return "done"

    return action


def test_a_passing_fault_is_waited_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    result = asyncio.run(patiently(app(), failing(4), doing="indexing", passing=(Passing,)))

    assert result == "done"
    assert [record.message.split(" ", 1)[1] for record in caplog.records] == [
        "failed, will be tried until it works: Passing('down')",
        "works again",
    ]


def test_another_error_is_not_waited_out() -> None:
    async def action() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        asyncio.run(patiently(app(), action, doing="indexing", passing=(Passing,)))


@pytest.mark.parametrize("state", [{"active": False}, {"should_stop": True}])
def test_waiting_ends_when_the_partitions_are_taken_or_the_worker_stops(state: dict[str, bool]) -> None:
    worker = app(**state)
    with pytest.raises(Interrupted):
        asyncio.run(patiently(worker, failing(1), doing="indexing", passing=(Passing,)))
    # Whoever takes over waits, not this worker.
    assert worker.figures._waiting == {"indexing": 0.0}
