"""The end of a stack whose data is deleted."""

import signal
import sys
import time
from pathlib import Path

import pytest

from lab.trial_stack import TrialStack
from stack.child import Command
from stack.java import archive_file
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


class Connect(StackMember):
    """Kafka Connect's place in the stack, with a program that writes a file when it ends by itself."""

    name = "connect"
    stop_timeout_s = 20.0

    def command(self) -> Command:
        return Command((sys.executable, "-c", PROGRAM, str(self.settings.home.parent / "kept")), self.log)

    def ready(self) -> bool:
        return "ready" in self.log.read_text()


@pytest.mark.parametrize("keeps", [False, True])
def test_all_are_killed_unless_one_has_to_write_the_archive_of_its_classes(tmp_path: Path, keeps: bool) -> None:
    stack = TrialStack.on_free_ports(tmp_path / "home", jars=tmp_path / "jars")
    stack.members["connect"] = Connect(stack.settings)
    archive = archive_file(stack.settings.jars, "connect")
    archive.parent.mkdir(parents=True)
    if not keeps:
        archive.touch()
    stack.home.lock()
    stack._opened = True
    for _ in stack.bring_up("connect"):
        time.sleep(0.02)
    process = stack.processes["connect"]
    stack.remove()
    assert process.returncode == (0 if keeps else -signal.SIGKILL)
    assert (tmp_path / "kept").exists() == keeps
    assert not (tmp_path / "home").exists()
