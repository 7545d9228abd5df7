"""What `verify` says of promises that hold and of those that are broken."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from ops.audit import Audit, Finding
from ops.commands import verify
from settings import Settings
from streams.search.verify import FIX_ROW, Difference
from tests.unit.tables.ledger_driver import EVENT

NOW = Settings(ticket_key="k" * 32)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(verify, "settings", lambda: NOW)
    return lambda *arguments: CliRunner().invoke(verify.command, arguments)


def verdict(
    monkeypatch: pytest.MonkeyPatch, *findings: Finding, index: dict[str, Difference], slots: list[str]
) -> None:
    monkeypatch.setattr(verify, "audit_ledger", lambda _: Audit(3, 40, list(findings)))
    monkeypatch.setattr(verify, "look_at_slots", lambda _: slots)
    monkeypatch.setattr(verify, "compare_index", lambda _, within: index)


def test_verify_says_that_every_promise_holds(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    verdict(monkeypatch, index={}, slots=[])
    done = run()
    assert (done.exit_code, "3 events and 40 purchases were looked at: every promise holds" in done.output) == (0, True)


def test_a_note_breaks_no_promise(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    verdict(monkeypatch, Finding(EVENT, 0, "is overcommitted"), index={}, slots=[])
    done = run("--json")
    assert (done.exit_code, json.loads(done.output)["notes"]) == (0, [f"event {EVENT}: is overcommitted"])


INDEX = {"e": Difference("is missing"), "f": Difference("can't be indexed: `$.tags[1]`", FIX_ROW)}


def test_verify_names_each_broken_promise(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    verdict(monkeypatch, Finding(EVENT, 1, "oversold"), index=INDEX, slots=["slot gone"])
    done = run("--json")
    assert done.exit_code == 1
    assert json.loads(done.output)["findings"] == [
        f"promise 1: event {EVENT}: oversold",
        "promise 5: event e is missing; `turnstile reindex` repairs that",
        "promise 5: event f can't be indexed: `$.tags[1]`; fix its row by SQL",
        "promise 5: slot gone",
    ]
