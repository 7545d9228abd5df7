"""A member of the stack, a server or a process of the project: how it is prepared, run, found ready and stopped."""

import json
import signal
import ssl
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

import httpx

from stack.child import Command
from stack.settings import StackSettings
from telemetry.call_deadlines import TimedTransport

HOST = "127.0.0.1"
# All is plain HTTP here. Without this, httpx reads every CA of the system for each request: 30 ms of CPU.
NO_CAS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class StackMember(ABC):
    """One member. Its methods are called in the order in which they are defined."""

    name: ClassVar[str]
    after: ClassVar[tuple[str, ...]] = ()  # members whose processes must be started before
    needs: ClassVar[tuple[str, ...]] = ()  # members that must be ready before
    counts_on: ClassVar[tuple[str, ...]] = ()  # members that are waited for unless they are down
    runs_once: ClassVar[bool] = False  # it is done when it has ended with exit code 0
    tries: ClassVar[int] = 1  # how often it is started if it ends before it is ready
    retry_pause_s: ClassVar[float] = 1.0  # the pause before such a start
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    ready_timeout_s: ClassVar[float] = 90.0
    stop_timeout_s: ClassVar[float] = 3.0

    def __init__(self, settings: StackSettings) -> None:
        self.settings = settings
        self.folder = settings.home / self.name
        self.log = settings.home / "logs" / f"{self.name}.log"

    def preparations(self) -> Sequence[Command]:
        """Write the configuration; return the commands that must succeed before the start."""
        return ()

    @abstractmethod
    def command(self) -> Command:
        """The process."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it is ready. It is asked repeatedly, so it takes a second at most."""

    def condition(self) -> str:
        """What it waits for while it is not ready, in a line; may be empty."""
        return ""

    def complaint(self) -> str:
        """What in it has failed though it is ready, in a line; may be empty. Asked at intervals."""
        return ""

    def settle(self) -> None:
        """What is done once, when it has become ready."""
        return


def get(url: str, timeout_s: float = 1) -> httpx.Response:
    """What a server of the stack answers at this URL. Raises httpx.TransportError."""
    with httpx.Client(timeout=timeout_s, transport=TimedTransport(NO_CAS)) as client:
        return client.get(url)


def answers(url: str) -> bool:
    """Whether a GET of this URL succeeds now."""
    try:
        return get(url).is_success
    except httpx.TransportError:
        return False


def properties(values: dict[str, object]) -> str:
    """The text of a Java properties file. It is read as Latin-1, and has JSON's escapes."""
    return "".join(f"{key}={json.dumps(str(value))[1:-1]}\n" for key, value in values.items())


def write(path: Path, text: str) -> Path:
    """Write a configuration file, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def emptied(folder: Path) -> Path:
    """The folder, made if it isn't there, without any file."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    return folder
