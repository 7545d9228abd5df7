"""What the terminal shows of a run: parts as they come up, the whole, and what changes after that."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from lab.trial_stack import TrialStack
from stack.part import WORKS_AGAIN, PartPhase
from stack.progress import ProgressPrinter
from stack.settings import StackSettings
from stack.supervision import Supervision
from stack.supervisor import StatusPrinter


class Run:
    """Two parts that do as they are told, and what is shown of them."""

    def __init__(self, home: Path) -> None:
        self.output = io.StringIO()
        stack = TrialStack(StackSettings(home=home))
        self.report = StatusPrinter(stack, ProgressPrinter(Console(file=self.output, highlight=False, width=100)))
        self.it = Supervision(stack, ["api", "elasticsearch", "catalogue"], self.report.tell, lambda: 0.0)
        self.parts = self.it.parts

    def lines(self) -> list[str]:
        """What is shown since the last time, up to the table of addresses."""
        self.report.look(self.it)
        text = self.output.getvalue().partition("box office")[0]
        self.output.seek(0)
        self.output.truncate()
        return [re.sub(r"^ +(\d+\.\d s)?  +", "", line) for line in text.splitlines()]

    def come_up(self, *names: str) -> None:
        for name in names:
            self.parts[name].comes_up(0, PartPhase.DONE if name == "catalogue" else PartPhase.READY)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_each_part_is_a_line_and_then_the_whole(run: Run) -> None:
    run.come_up("api")
    assert run.lines() == ["api            ready"]
    run.come_up("elasticsearch", "catalogue")
    assert run.lines() == ["elasticsearch  ready", "catalogue      done", "everything is ready"]
    assert run.lines() == []


def test_paths_are_told_whole(tmp_path: Path) -> None:
    home = tmp_path / "of two" / ("long" * 30)
    run = Run(home)
    run.come_up("api", "elasticsearch", "catalogue")
    run.report.look(run.it)
    assert (
        f"password in {tmp_path / 'of two' / ('long' * 30) / 'secrets' / 'admin_password'}\n" in run.output.getvalue()
    )


def test_a_run_that_lacks_a_part_is_ready_but_for_that_and_says_when_it_no_longer_lacks_it(run: Run) -> None:
    run.come_up("api", "catalogue")
    run.parts["elasticsearch"].fails(0, "ended with exit code 1: [no] heap")
    assert run.lines()[-2:] == ["ready, but:", "elasticsearch  ended with exit code 1: [no] heap"]
    run.parts["elasticsearch"].starts(0)
    assert run.lines() == []
    run.come_up("elasticsearch")
    assert run.lines() == ["everything is ready now"]


def test_without_the_api_nothing_is_ready(run: Run) -> None:
    run.come_up("elasticsearch", "catalogue")
    run.parts["api"].fails(0, "ended with exit code 1")
    assert run.lines()[-2:] == ["nothing can be bought yet:", "api            ended with exit code 1"]


def test_what_failed_is_named_with_its_log_and_what_becomes_of_it(run: Run, tmp_path: Path) -> None:
    search, catalogue = run.parts["elasticsearch"], run.parts["catalogue"]
    search.fails(0, "")
    run.report.tell(search, "ended with exit code 1: [no] heap")
    catalogue.fails(0, "")
    run.report.tell(catalogue, "failed: ended with exit code 1")
    search.comes_up(0)
    run.report.tell(search, WORKS_AGAIN)
    rest = f"again, at growing pauses; its log is {tmp_path}/logs"
    assert run.lines() == [
        f"elasticsearch  ended with exit code 1: [no] heap; it is started {rest}/elasticsearch.log",
        f"catalogue      failed: ended with exit code 1; it is tried {rest}/catalogue.log",
        "elasticsearch  works again",
    ]
