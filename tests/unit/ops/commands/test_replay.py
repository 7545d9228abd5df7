"""What `replay` prints of its comparison."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from ops.commands import replay
from ops.replay import Comparison
from settings import Settings

NOW = Settings(ticket_key="k" * 32)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(replay, "settings", lambda: NOW)
    return lambda *arguments: CliRunner().invoke(replay.command, arguments)


@pytest.mark.parametrize(("different", "code"), [((), 0), (("00 differs at offset 1",), 1)])
def test_replay_tells_how_many_records_differ(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, different: tuple[str, ...], code: int
) -> None:
    monkeypatch.setattr(replay, "replay", lambda now, folder: iter([Comparison(0, 9, 7, different)]))
    done = run("--json")
    assert (done.exit_code, json.loads(done.output)[0]["different"]) == (code, list(different))
