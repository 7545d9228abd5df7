"""Progress on the terminal: a line per step with the seconds since the start, and what is being waited for."""

import os
import time
from contextlib import suppress
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.status import Status

STARTING: Final = "starting"


class _Console(Console):
    def print(self, *objects: Any, **options: Any) -> None:
        """Print, or leave it: a full disk, or a terminal that is gone, ends nothing that runs."""
        with suppress(OSError):
            super().print(*objects, **options)

    def on_broken_pipe(self) -> None:
        """Print no more: nobody reads it (`make run | tee log`, and Ctrl-C), which ends nothing."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what is still to be written


class ProgressPrinter:
    """Prints what happens and when; on a terminal also what is being waited for."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or _Console(highlight=False)
        self._began = time.monotonic()
        self._starting: list[str] = []
        self._status: Status | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """Print a line with the time."""
        self.console.print(f"[dim]{self.elapsed:6.1f} s[/dim]  {escape(text)}", soft_wrap=True)

    def report(self, name: str, state: str) -> None:
        """Print the new state of a part."""
        if state == STARTING:
            self._starting.append(name)
        else:
            self._starting = [other for other in self._starting if other != name]
            self.say(f"{name:<14} {state}")
        self._show()

    def quiet(self) -> None:
        """Show no more what is being waited for."""
        self._starting = []
        self._show()

    def _show(self) -> None:
        if self._status is not None and not self._starting:
            self._status.stop()
            self._status = None
        elif self._starting and self.console.is_terminal:
            self._status = self._status or self.console.status("")
            self._status.update(f"waiting for {', '.join(self._starting)}")
            self._status.start()
