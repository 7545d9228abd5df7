"""The start of one member, as a generator, so that many members start at the same time in one thread.

Each function yields while it waits, and raises ServerFailed when a process fails.
"""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from stack import child
from stack.child import Command
from stack.errors import ServerFailed
from stack.member import StackMember
from stack.reasons import ended, is_from_outside
from telemetry.escapes import escaped

Processes = dict[str, subprocess.Popen[bytes]]


def bring_up(member: StackMember, processes: Processes) -> Iterator[str]:
    """Start a member and put its process into ``processes``; ends when it is ready, or done if it runs once.

    Raises whatever its preparations raise, too.
    """
    _keep_last_log(member.log)
    for command in member.preparations():
        yield from run_to_end(member, command, "could not be prepared")
    if member.runs_once:
        yield from run_to_end(member, member.command(), "failed")
    else:
        yield from _become_ready(member, processes)


def run_to_end(member: StackMember, command: Command, failed: str) -> Iterator[str]:
    """Run a command and wait for its end; closing the generator stops it."""
    process = child.spawn(command)
    deadline = time.monotonic() + member.ready_timeout_s
    try:
        while process.poll() is None:
            if time.monotonic() > deadline:
                raise _failure(member, f"was not done within {member.ready_timeout_s:.0f} s")
            yield "running"
    finally:
        child.stop(process, signal.SIGTERM, 2)
    if process.returncode:
        raise _failure(member, f"{failed}: {ended(process.returncode)}", process.returncode)


def _become_ready(member: StackMember, processes: Processes) -> Iterator[str]:
    process = processes[member.name] = child.spawn(member.command())
    tries = member.tries
    deadline = time.monotonic() + member.ready_timeout_s
    # Where the process has ended, whoever answers in its place is another one.
    while not (member.ready() and process.poll() is None):
        if process.poll() is not None:
            tries -= 1
            if tries <= 0:
                raise _failure(member, ended(process.returncode), process.returncode)
            yield from _passing(member.retry_pause_s)
            process = processes[member.name] = child.spawn(member.command())
        if time.monotonic() > deadline:
            raise _failure(member, f"was not ready within {member.ready_timeout_s:.0f} s")
        yield "starting"
    member.settle()


def _failure(member: StackMember, what: str, code: int = 0) -> ServerFailed:
    lines = [escaped(line.expandtabs()) for line in child.last_lines(member.log).splitlines()]
    text = "\n".join([f"{member.name} {what}; its log is {member.log}", *lines])
    return ServerFailed(what, text, explained=not is_from_outside(code))


def _passing(seconds: float) -> Iterator[str]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield "waiting"


def _keep_last_log(log: Path) -> None:
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
