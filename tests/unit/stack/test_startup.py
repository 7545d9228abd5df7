"""A server that ends before it is ready is started again as often as it says, and then named."""

import sys
import time
from pathlib import Path

import pytest

from lab.trial_stack import TrialStack
from stack.child import Command
from stack.errors import ServerFailed
from stack.member import StackMember
from stack.settings import StackSettings

ENDS_THE_FIRST_TIME = """
import pathlib, sys, time
mark = pathlib.Path(sys.argv[1])
if mark.exists():
    mark.with_suffix(".ready").touch()
    time.sleep(60)
mark.touch()
sys.exit(1)
"""


class Hesitant(StackMember):
    name = "hesitant"
    retry_pause_s = 0.0

    @property
    def mark(self) -> Path:
        return self.settings.home / "mark"

    def command(self) -> Command:
        return Command((sys.executable, "-c", ENDS_THE_FIRST_TIME, str(self.mark)), self.log)

    def ready(self) -> bool:
        return self.mark.with_suffix(".ready").exists()


class Patient(Hesitant):
    tries = 2


def start(member: StackMember) -> None:
    stack = TrialStack(member.settings)
    stack.members[member.name] = member
    member.log.parent.mkdir(parents=True)
    try:
        for _ in stack.bring_up(member.name):
            time.sleep(0.01)
    finally:
        for process in stack.processes.values():
            process.kill()
            process.wait()


def test_a_server_with_tries_left_is_started_again(tmp_path: Path) -> None:
    member = Patient(StackSettings(home=tmp_path))

    start(member)

    assert member.ready()


def test_a_server_without_tries_left_is_named_with_its_log(tmp_path: Path) -> None:
    member = Hesitant(StackSettings(home=tmp_path))

    with pytest.raises(ServerFailed, match=r"hesitant ended with exit code 1; its log is .*hesitant\.log"):
        start(member)


def test_a_server_that_has_ended_is_not_ready_though_another_answers_in_its_place(tmp_path: Path) -> None:
    class Answered(Hesitant):
        def ready(self) -> bool:
            time.sleep(0.5)  # until the process has ended
            return self.mark.exists()

    with pytest.raises(ServerFailed, match="hesitant"):
        start(Answered(StackSettings(home=tmp_path)))
