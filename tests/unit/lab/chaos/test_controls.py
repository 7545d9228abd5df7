"""Every mechanism that can be taken away has a run that must miss it, and there is something to take away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.chaos.checks.finding import Finding
from lab.chaos.controls import CONTROLS, Control, options
from lab.chaos.mutants.registry import MUTANTS, SHORT_EXTENSION, named
from lab.chaos.schedule import FaultKind
from providers.port import CALL_TIMEOUT_S

ROOT = Path(__file__).parents[4]
TAKE_ALL = "from lab.chaos.mutants.registry import MUTANTS, take_away; take_away(MUTANTS, {!r})"
RULES = "\n".join(path.read_text() for path in (ROOT / "tests" / "chaos").glob("test_*.py"))


def test_every_mechanism_is_off_in_some_control_or_in_a_test_of_the_ledgers_rules() -> None:
    around = {SHORT_EXTENSION, *(name for control in CONTROLS for name in control.without)}
    assert around <= set(MUTANTS)
    assert [name for name in set(MUTANTS) - around if name not in RULES] == []


def test_a_mechanism_that_there_is_not_is_no_mutant() -> None:
    assert named("outbox,ledger memory") == ["outbox", "ledger memory"]
    with pytest.raises(KeyError, match="gravity"):
        named("outbox,gravity")


@pytest.mark.parametrize("part", ["streams", "api"])
def test_what_is_taken_away_is_there(part: str) -> None:
    """In a process of its own, since nothing is put back."""
    environment = {**os.environ, "TURNSTILE_TICKET_KEY": "k" * 32}
    argv = [sys.executable, "-c", TAKE_ALL.format(part)]
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_a_mechanism_is_missed_only_under_its_promise_and_with_its_words() -> None:
    control = Control({"index version": ((5,), "document"), "dead letters": ((7,), "can't be read")})
    assert control.silent([Finding(5, "document 1 is old")]) == ["dead letters"]
    assert control.silent([Finding(4, "document 1 is old"), Finding(7, "it can't be read")]) == ["index version"]


def test_in_a_calm_control_nothing_fails_but_what_is_off(tmp_path: Path) -> None:
    calm, other = (options(control, 1, tmp_path, tmp_path) for control in (Control({}, calm=True), Control({})))
    assert (calm.processes, calm.links) == ([], [])
    assert other.processes
    assert other.links


def test_a_forgetful_control_kills_only_ledgers_with_their_folders(tmp_path: Path) -> None:
    made = options(Control({}, forgetful=True), 1, tmp_path, tmp_path)
    assert {fault.kind for fault in made.processes} == {FaultKind.FORGET}
    assert {fault.target for fault in made.processes} == {"ledger-0", "ledger-1"}


def test_nobody_waits_long_for_answers_where_something_is_off(tmp_path: Path) -> None:
    one, nothing = (options(control, 1, tmp_path, tmp_path, 15) for control in (CONTROLS[0], Control({})))
    assert one.retry_max_s < nothing.retry_max_s
    assert one.seconds == 15


def test_a_control_cuts_its_links_for_longer_than_a_request_is_tried(tmp_path: Path) -> None:
    made = options(Control({}, cut=("payments-0 - paper",)), 1, tmp_path, tmp_path)
    assert {(fault.kind, fault.target) for fault in made.links} == {(FaultKind.CUT, "payments-0 - paper")}
    assert all(fault.seconds > CALL_TIMEOUT_S for fault in made.links)
