"""Progress on the terminal: one line per step with the seconds since the beginning; plain lines without a terminal."""

import time

from rich.console import Console


class Steps:
    """Says what happens and when."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """One line, with the time."""
        self.console.print(f"[dim]{self.elapsed:6.1f} s[/dim]  {text}", soft_wrap=True)

    def report(self, name: str, state: str) -> None:
        """One step of one part."""
        self.say(f"{name:<14} {state}")
