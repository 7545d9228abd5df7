"""What the terminal shows while the stack starts."""

import io
import re

from rich.console import Console

from stack.progress import STARTING, ProgressPrinter


def shown(terminal: bool) -> str:
    output = io.StringIO()
    steps = ProgressPrinter(Console(file=output, force_terminal=terminal, highlight=False, width=80))
    steps.report("kafka", STARTING)
    steps.report("smtp", STARTING)
    steps.report("kafka", "ready")
    steps.report("smtp", "ready")
    steps.say("all servers are ready")
    return output.getvalue()


def test_without_a_terminal_each_step_is_one_plain_line_with_the_time() -> None:
    lines = [re.sub(r"^ +\d+\.\d s  ", "", line) for line in shown(terminal=False).splitlines()]
    assert lines == ["kafka          ready", "smtp           ready", "all servers are ready"]


def test_a_terminal_also_shows_what_is_being_waited_for() -> None:
    assert "waiting for" in shown(terminal=True)
