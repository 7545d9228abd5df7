"""What `verify` says of promises that hold and of those that are broken."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from connect.observe.definitions import EventDifference
from ops.audit import Audit, Finding
from ops.commands import verify
from ops.promises import SaleComparison
from ops.scratch import LedgerCopy
from settings import Settings
from streams.search.verify import FIX_ROW, Difference
from tables.ledger.definition_differences import FieldDifference
from tests.unit.tables.ledger_driver import EVENT

NOW = Settings(ticket_key="k" * 32)
EQUAL = SaleComparison([], [])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(verify, "settings", lambda: NOW)
    return lambda *arguments: CliRunner().invoke(verify.command, arguments)


def verdict(
    monkeypatch: pytest.MonkeyPatch,
    *findings: Finding,
    index: dict[str, Difference],
    slots: list[str],
    sale: SaleComparison = EQUAL,
) -> None:
    monkeypatch.setattr(LedgerCopy, "catch_up", lambda _: None)
    monkeypatch.setattr(verify, "compare_sale", lambda *_: sale)
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


def test_verify_names_an_event_that_is_sold_otherwise_and_notes_one_that_may_be_on_its_way(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = EventDifference(EVENT, (FieldDifference("version", "3", "9"),))
    verdict(monkeypatch, index={}, slots=[], sale=SaleComparison([foreign], []))
    done, told = run("--json"), f"event {EVENT} differs in version: PostgreSQL says 3, the ledger 9"
    assert (done.exit_code, json.loads(done.output)["findings"]) == (1, [f"promise 9: {told}; {verify.SALE_DIFFERS}"])
    verdict(monkeypatch, index={}, slots=[], sale=SaleComparison([], [foreign]))
    done = run("--json")
    assert (done.exit_code, json.loads(done.output)["notes"][0].startswith(told)) == (0, True)


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
