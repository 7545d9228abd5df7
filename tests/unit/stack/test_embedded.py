"""The end of a stack whose data is deleted."""

import signal
import sys
import time
from pathlib import Path

import pytest

from lab.trial_stack import TrialStack
from stack.child import Command
from stack.member import StackMember

# It writes a file if it is asked to end.
PROGRAM = """
import pathlib, signal, sys, time

def end(*_):
    pathlib.Path(sys.argv[1]).touch()
    sys.exit()

signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""


class Member(StackMember):
    """One that writes a file outside of the data folder when it ends by itself."""

    name = "smtp"
    stop_timeout_s = 20.0
    keeps = False

    def command(self) -> Command:
        return Command((sys.executable, "-c", PROGRAM, str(self.settings.home.parent / "kept")), self.log)

    def ready(self) -> bool:
        return "ready" in self.log.read_text()

    def has_to_end_well(self) -> bool:
        return self.keeps


@pytest.mark.parametrize("keeps", [False, True])
def test_all_are_killed_unless_one_has_something_to_write_that_is_kept(tmp_path: Path, keeps: bool) -> None:
    stack = TrialStack.on_free_ports(tmp_path / "home")
    stack.members["smtp"] = member = Member(stack.settings)
    member.keeps = keeps
    stack.home.lock()
    stack._opened = True
    for _ in stack.bring_up("smtp"):
        time.sleep(0.02)
    process = stack.processes["smtp"]
    stack.remove()
    assert process.returncode == (0 if keeps else -signal.SIGKILL)
    assert (tmp_path / "kept").exists() == keeps
    assert not (tmp_path / "home").exists()
