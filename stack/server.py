"""What every embedded server tells about itself: how it is prepared, run, found ready and stopped."""

import signal
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import httpx

from stack.child import Command
from stack.settings import StackSettings

HOST = "127.0.0.1"


class Server(ABC):
    """One server of the stack. Its methods are called in the order in which they stand here."""

    name: ClassVar[str]
    after: ClassVar[tuple[str, ...]] = ()  # whose processes must exist before this one's
    needs: ClassVar[tuple[str, ...]] = ()  # who must be ready before this one's process is started
    counts_on: ClassVar[tuple[str, ...]] = ()  # who is waited for, too, unless it is known to be down
    runs_once: ClassVar[bool] = False  # it is ready when it has ended well
    tries: ClassVar[int] = 1  # how often it is started when it ends before it is ready
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    ready_within: ClassVar[float] = 90.0
    stop_within: ClassVar[float] = 3.0

    def __init__(self, settings: StackSettings) -> None:
        self.settings = settings
        self.folder = settings.home / self.name
        self.log = settings.home / "logs" / f"{self.name}.log"

    def preparations(self) -> Sequence[Command]:
        """Write the configuration; the commands that must have ended well before the server starts."""
        return ()

    @abstractmethod
    def command(self) -> Command:
        """The server's own process."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether the server answers. Asked again and again, so it takes a second at most."""

    def condition(self) -> str:
        """What the server says of itself while it is not ready, in a line; empty where it says nothing."""
        return ""

    def complaint(self) -> str:
        """What in it has failed though it is ready itself, in a line; asked every now and then, as ``ready`` is."""
        return ""

    def settle(self) -> None:
        """What is to be done once, as soon as the server is ready."""
        return


def answers(url: str) -> bool:
    """Whether a GET of this address succeeds now."""
    try:
        return httpx.get(url, timeout=1, trust_env=False).is_success
    except httpx.TransportError:
        return False


def properties(values: dict[str, object]) -> str:
    """The text of a Java properties file."""
    return "".join(f"{key}={value}\n" for key, value in values.items())


def write(path: Path, text: str) -> Path:
    """Write a configuration file, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
