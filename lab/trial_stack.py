"""A stack for benchmarks, chaos and tests: beside others, and with processes that can be killed and paused."""

import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.free_ports import on_free_ports
from stack.embedded import Stack
from stack.errors import StackError
from stack.java import archive_file
from stack.kafka_connect import KafkaConnect
from stack.postgres import Postgres


class TrialStack(Stack):
    """A stack that runs within ``with``."""

    @classmethod
    def on_free_ports(cls, home: Path, workers: int = 1, **more: object) -> Self:
        """A stack with a folder and ports of its own. ``more`` are settings."""
        return cls(on_free_ports(home, workers, **more))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def remove(self) -> None:
        """End everything at once and delete its data, also outside of the data folder (stack/postgres_files.py)."""
        if all(archive_file(self.settings.jars, name).exists() for name in self.pids if name in self._archived):
            for name in self.pids:
                # Killed, PostgreSQL would leave its shared memory behind.
                self.processes[name].send_signal(signal.SIGQUIT if name == Postgres.name else signal.SIGKILL)
        self.stop()
        self.home.remove()

    @property
    def _archived(self) -> list[str]:
        """Those that write the archive of their classes when they end by themselves, for all stacks to come."""
        return [*self.brokers, KafkaConnect.name]

    def kill(self, name: str) -> None:
        """Kill one process as a crash would (SIGKILL)."""
        process = self._running(name)
        process.kill()
        process.wait()

    def pause(self, name: str) -> None:
        """Freeze one process (SIGSTOP)."""
        self._running(name).send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a frozen process go on (SIGCONT)."""
        self._running(name).send_signal(signal.SIGCONT)

    def dead(self) -> list[str]:
        """The names of those that were started and ended without being asked to."""
        return [name for name, process in self.processes.items() if process.poll() is not None]

    def _running(self, name: str) -> subprocess.Popen[bytes]:
        if name not in self.pids:
            raise StackError(f"{name} is not running; running are {', '.join(self.pids) or 'none'}")
        return self.processes[name]
