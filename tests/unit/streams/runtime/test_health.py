"""What a supervisor is told of a worker; the web server is left out."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from streams.runtime.app import App
from streams.runtime.health import Health


@pytest.mark.parametrize(("sick", "status"), [("", 200), ("the input waits for 30 s", 503)])
def test_a_worker_that_does_nothing_does_not_pass_for_alive(app: App, sick: str, status: int) -> None:
    pulse: Any = SimpleNamespace(sick=sick)
    request: Any = None
    view: Any = SimpleNamespace(json=lambda body, status: (status, body))
    health = Health(app, pulse)

    answer: Any = asyncio.run(health.live(view, request))

    assert answer == (status, {"status": sick or "live"})
