"""Where a Python process spends its CPU: ``python -m lab.bench sample FILE MODULE`` samples a module's stacks.

Sampling begins at the first signal TOGGLE and ends at the second, when FILE is written. It counts CPU
time, not calls, so small functions have their true share.
"""

import json
import os
import runpy
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Final

import rich_click as click

from stack.child import Command
from stack.member import StackMember

TOGGLE: Final = signal.SIGRTMIN
SAMPLE_EVERY_S: Final = 0.002  # of CPU; a system whose clock ticks less often takes fewer
FRAMES_MAX: Final = 80
FUNCTIONS_SHOWN_MAX: Final = 40
STALL_TIMEOUT_S: Final = 10.0

Stack = tuple[str, ...]


class Sampler:
    """Counts the stacks at each tick of the timer, the innermost function first."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.stacks: Counter[Stack] = Counter()
        self.running = False

    def install(self) -> None:
        """Install the signal handlers; the process is not affected otherwise."""
        signal.signal(signal.SIGPROF, self._take)
        signal.siginterrupt(signal.SIGPROF, False)
        signal.signal(TOGGLE, self._toggle)

    def _toggle(self, number: int, frame: FrameType | None) -> None:
        self.running = not self.running
        every = SAMPLE_EVERY_S if self.running else 0.0
        signal.setitimer(signal.ITIMER_PROF, every, every)
        if not self.running:
            rows = [[count, list(stack)] for stack, count in self.stacks.items()]
            unfinished = self.output.with_suffix(".part")
            unfinished.write_text(json.dumps(rows))
            unfinished.replace(self.output)

    def _take(self, number: int, frame: FrameType | None) -> None:
        names: list[str] = []
        while frame is not None and len(names) < FRAMES_MAX:
            code = frame.f_code
            names.append(f"{code.co_filename}:{code.co_qualname}")
            frame = frame.f_back
        self.stacks[tuple(names)] += 1


def sampled(server: StackMember, folder: Path) -> Path:
    """Run the server's Python process under the sampler; the file that it will write."""
    output = folder / f"{server.name}.samples.json"
    plain = server.command

    def command() -> Command:
        was = plain()
        return replace(was, argv=(was.argv[0], "-m", "lab.bench", "sample", str(output), *was.argv[2:]))

    server.command = command  # type: ignore[method-assign]
    return output


def toggle(pids: Iterable[int]) -> None:
    """Start or end sampling in these processes."""
    for pid in pids:
        os.kill(pid, TOGGLE)


def report(outputs: Iterable[Path]) -> str:
    """The functions that used most CPU, alone and with their callees, in percent of the samples."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for output in outputs:
        for count, stack in _read(output):
            own[stack[0]] += count
            for name in set(stack):
                whole[name] += count
    total = sum(own.values()) or 1
    lines = [f"{total} samples", "", "by itself"]
    lines += [f"{100 * count / total:6.1f} %  {_short(name)}" for name, count in own.most_common(FUNCTIONS_SHOWN_MAX)]
    lines += ["", "with what it calls"]
    lines += [f"{100 * count / total:6.1f} %  {_short(name)}" for name, count in whole.most_common(FUNCTIONS_SHOWN_MAX)]
    return "\n".join(lines)


def _read(output: Path) -> list[tuple[int, Stack]]:
    deadline = time.monotonic() + STALL_TIMEOUT_S
    while not output.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the sampled process has not written {output}")
        time.sleep(0.05)
    return [(count, tuple(stack)) for count, stack in json.loads(output.read_text())]


def _short(name: str) -> str:
    path, _, function = name.rpartition(":")
    return f"{'/'.join(Path(path).parts[-3:])}  {function}"


@click.command(name="sample", hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("output", type=click.Path(path_type=Path))
@click.argument("module")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(output: Path, module: str, arguments: tuple[str, ...]) -> None:
    """Run a module as ``python -m`` would, and write its samples to OUTPUT when they are asked for."""
    sys.argv = [module, *arguments]
    Sampler(output).install()
    runpy.run_module(module, run_name="__main__", alter_sys=True)
