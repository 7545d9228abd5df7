"""What `status` prints, for people and for programs."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from ops.commands import status
from ops.part_status import PartState, PartStatus
from settings import Settings

NOW = Settings(ticket_key="k" * 32)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(status, "settings", lambda: NOW)
    return lambda *arguments: CliRunner().invoke(status.command, arguments)


@pytest.mark.parametrize(("state", "code"), [(PartState.OK, 0), (PartState.WARN, 0), (PartState.DOWN, 1)])
def test_status_as_json_has_every_figure_and_the_exit_code_tells_of_a_part_that_is_down(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, state: PartState, code: int
) -> None:
    monkeypatch.setattr(status, "look", lambda _: [PartStatus("  slot a", state, "3 behind", {"behind": 3})])
    done = run("--json")
    parts = [{"name": "slot a", "state": state, "text": "3 behind", "behind": 3}]
    assert (done.exit_code, json.loads(done.output)) == (code, {"state": state, "parts": parts})


@pytest.mark.parametrize(
    ("text", "shown"), [("[bold]boom\x1b[31m", "[bold]boom\\x1b[31m"), ("\\[/x]\r\n", "\\[/x]\\r\\n")]
)
def test_status_for_people_obeys_no_text_of_others(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, text: str, shown: str
) -> None:
    monkeypatch.setattr(status, "look", lambda _: [PartStatus("connect", PartState.DOWN, text)])
    done = run()
    assert shown in done.output


def test_a_part_is_one_line_in_a_pipe(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "look", lambda _: [PartStatus("mail", PartState.DOWN, "a long reason " * 10)])
    assert len(run().output.splitlines()) == 1
