"""What the terminal shows while the stack starts."""

import io
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
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


PRINTS = """
import sys
from stack.progress import ProgressPrinter
steps = ProgressPrinter()
for _ in range(1_000):
    steps.say("x" * 1_000)
print("at the end")
sys.stderr.write("still here")
"""


def test_nothing_ends_because_nobody_reads_what_is_printed() -> None:
    program = f"set -o pipefail; '{sys.executable}' -c '{PRINTS}' | true"
    root = Path(__file__).parents[3]
    done = subprocess.run(("bash", "-c", program), cwd=root, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"still here")


def test_nothing_ends_because_it_can_not_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Into a file on a full disk: `make run > log`."""
    with open("/dev/full", "w", buffering=1) as full:  # noqa: PTH123 (a device)
        monkeypatch.setattr(sys, "stdout", full)
        steps = ProgressPrinter()
        for _ in range(3):
            steps.report("kafka", "ready")
        with suppress(OSError):
            full.close()
