"""What a measurement works with: real servers on a folder of its own, progress on the terminal, series to plot."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from rich.progress import Progress

from lab.bench.cpu import role_of
from lab.bench.sampler import report, sampled, toggle
from lab.target import settings_of
from lab.trial_stack import TrialStack
from settings import Settings

LEDGER_ROLE: Final = "worker"
Figures = dict[str, float]
Tick = Callable[[int], None]


class Measure(Protocol):
    """One run of a measurement; it returns its figures by key."""

    def __call__(self, lab: "Lab") -> Figures: ...


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measurement and its number of runs."""

    name: str
    about: str
    measure: Measure
    runs: int = 3


def is_ledger(name: str) -> bool:
    """Whether a process of the stack is a ledger worker."""
    return role_of(name) == LEDGER_ROLE


@dataclass
class Lab:
    """One run. ``scale`` below 1 makes everything smaller, for a trial; ``profile`` samples the measured workers."""

    name: str
    progress: Progress
    scale: float = 1.0
    profile: bool = False
    series: dict[str, Any] = field(default_factory=dict)
    profiles: dict[str, Path] = field(default_factory=dict)
    profile_text: str = ""

    def count(self, number: int) -> int:
        """The number times the scale, at least 1."""
        return max(1, round(number * self.scale))

    @contextmanager
    def step(self, text: str, total: float | None = None) -> Iterator[Tick]:
        """Show a step on the terminal; the tick takes how much of ``total`` is done."""
        if not self.progress.console.is_terminal:
            self.progress.console.print(f"{self.name}: {text}", soft_wrap=True)
        task = self.progress.add_task(f"{self.name}: {text}", total=total)
        try:
            yield lambda done: self.progress.update(task, completed=done)
        finally:
            self.progress.remove_task(task)

    @contextmanager
    def profiling(self, stack: TrialStack) -> Iterator[None]:
        """Sample the measured workers meanwhile, if the run has a profile."""
        if not self.profile:
            yield
            return
        workers = [pid for name, pid in stack.pids.items() if name in self.profiles]
        toggle(workers)
        yield
        toggle(workers)
        self.profile_text = report(self.profiles.values())

    @contextmanager
    def stack(self, workers: int = 1, standbys: int = 1, measured: str = LEDGER_ROLE) -> Iterator[TrialStack]:
        """A stack on free ports, with nothing started; its data is deleted at the end, after an error too.

        ``measured`` is the role whose workers a profile samples.
        """
        folder = Path(tempfile.mkdtemp(prefix="turnstile-bench-"))
        stack = TrialStack.on_free_ports(folder / "home", workers=workers, standbys=standbys)
        if self.profile:
            members = {name: member for name, member in stack.members.items() if role_of(name) == measured}
            self.profiles = {name: sampled(member, folder) for name, member in members.items()}
        try:
            yield stack
        except Exception:
            self._keep_logs(stack)
            raise
        finally:
            stack.remove()
            shutil.rmtree(folder, ignore_errors=True)

    def _keep_logs(self, stack: TrialStack) -> None:
        logs = stack.settings.home / "logs"
        if logs.exists():
            kept = Path(tempfile.mkdtemp(prefix="turnstile-bench-logs-"))
            shutil.copytree(logs, kept, dirs_exist_ok=True)
            self.progress.console.print(f"the logs of the failed run are in {kept}", soft_wrap=True)

    @staticmethod
    def settings(stack: TrialStack) -> Settings:
        """The settings of the deployed parts on that stack."""
        return settings_of(stack.environment)
