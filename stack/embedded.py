"""The stack as an object: start and stop everything, or one process by name.

For ``make run`` and for tests. Calls are synchronous and come from the main thread (see stack/child.py).
"""

import signal
import subprocess
import time
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Self

from stack import child, jars
from stack.apps import AppProcess, FaustWorker, MailServer, PaperServer, apps, steps
from stack.elasticsearch import Elasticsearch
from stack.environment import app_environment
from stack.home import Home
from stack.java import make_base_archive
from stack.kafka import Kafka, brokers
from stack.kafka_connect import KafkaConnect
from stack.member import StackMember
from stack.ports import check
from stack.postgres import Postgres
from stack.progress import STARTING
from stack.settings import StackSettings
from stack.startup import bring_up, run_to_end
from stack.zipkin import Zipkin

SERVERS: tuple[type[StackMember], ...] = (Elasticsearch, Kafka, Postgres, KafkaConnect, MailServer, PaperServer)
STOP_TIMEOUT_S = 13.0
PAUSE = 0.05

Progress = Callable[[str, str], None]


class Stack:
    """The servers and, when asked for, the worker and API processes on one data folder."""

    def __init__(self, settings: StackSettings, progress: Progress = lambda name, state: None) -> None:
        self.settings = settings
        self.home = Home(settings.home, settings.postgres_folder)
        self.progress = progress
        members: list[StackMember] = [*(server(settings) for server in SERVERS), Zipkin(settings)]
        members += brokers(settings)[1:]
        members += [*steps(settings), *apps(settings)]
        self.members: dict[str, StackMember] = {member.name: member for member in members}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._opened = False

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that the deployed parts need."""
        return app_environment(self.settings)

    @property
    def servers(self) -> list[str]:
        """The names of the servers that this stack has to have."""
        more = [*self.brokers[1:], *([Zipkin.name] if self.settings.zipkin else [])]
        return [*(server.name for server in SERVERS), *more]

    @property
    def brokers(self) -> list[str]:
        """The names of Kafka's brokers."""
        return [name for name, member in self.members.items() if isinstance(member, Kafka)]

    @property
    def apps(self) -> list[str]:
        """The names of the worker and API processes."""
        return [
            name for name, member in self.members.items() if isinstance(member, AppProcess) and not member.runs_once
        ]

    @property
    def steps(self) -> list[str]:
        """The names of the steps after the servers; each may be run again at any time."""
        return [name for name, member in self.members.items() if member.runs_once]

    @property
    def pids(self) -> dict[str, int]:
        """The process id of everything that runs, by name."""
        return {name: process.pid for name, process in self.processes.items() if process.poll() is None}

    def open(self, ports: dict[str, int] | None = None) -> None:
        """Take the data folder, make sure that ports are free and the jars are there. Starts nothing."""
        if self._opened:
            return
        self.home.lock()
        try:
            self.home.outlive()
            check(self.settings.server_ports() if ports is None else ports)
            self.fetch_jars()
            make_base_archive()
        except BaseException:
            self.home.release()
            raise
        self._opened = True

    def fetch_jars(self) -> None:
        """Download the jars that are missing."""
        self.progress("jars", STARTING)
        wanted = [jar for environment in jars.ENVIRONMENTS for jar in jars.locked(environment)]
        count = jars.fetch(self.settings.jars, wanted)
        self.progress("jars", f"{count} downloaded" if count else "all there")

    def start(self, *names: str) -> Self:
        """Start these, or all servers, at once where they don't need each other; returns when all are ready.

        When one fails, those of this call are stopped again.
        """
        self.open()
        wanted = names or tuple(self.servers)
        try:
            self._start_all(wanted)
        except BaseException:
            self._stop_in_order(wanted)
            if not self.pids:
                self.stop()
            raise
        return self

    def prepare(self, name: str) -> None:
        """Make what a server needs before it can be started, and don't start it."""
        member = self.members[name]
        for command in member.preparations():
            for _ in run_to_end(member, command, "could not be prepared"):
                time.sleep(PAUSE)

    def stop(self, *names: str) -> None:
        """Stop these in order, or everything that runs, which also gives the data folder back."""
        if not self._opened:
            return
        self._stop_in_order(names or tuple(self.processes))
        if not names:
            self._opened = False
            self.home.release()

    def drop(self, name: str) -> None:
        """Kill a process that failed, if it still runs, and know it no more."""
        if process := self.processes.pop(name, None):
            child.kill(process)

    def bring_up(self, name: str) -> Iterator[str]:
        """Start one process unless it runs, and yield whenever it has to wait; see stack/startup.py."""
        return iter(()) if name in self.pids else bring_up(self.members[name], self.processes)

    def _start_all(self, names: Iterable[str]) -> None:
        starting = {name: self.bring_up(name) for name in names}
        waiting = set(starting)
        while starting:
            for name, waits in list(starting.items()):
                member = self.members[name]
                needed = (*member.needs, *member.counts_on)
                unstarted = starting.keys() - self.processes.keys()
                if not starting.keys().isdisjoint(needed) or not unstarted.isdisjoint(member.after):
                    continue
                if name in waiting:
                    waiting.discard(name)
                    self.progress(name, STARTING)
                if next(waits, "ready") == "ready":
                    del starting[name]
                    self.progress(name, "done" if member.runs_once else "ready")
            self.home.note(self.pids)
            time.sleep(PAUSE)

    def _stop_in_order(self, names: Container[str]) -> None:
        """Stop the apps before the servers that they use; the workers and the brokers all at once."""
        deadline = time.monotonic() + STOP_TIMEOUT_S
        workers = [name for name, member in self.members.items() if isinstance(member, FaustWorker)]
        for group in (
            ["api", "exporter"],
            workers,
            ["connect"],
            ["elasticsearch"],
            self.brokers,
            ["postgres"],
            ["smtp", "zipkin", "paper"],
        ):
            asked = {name: self.processes.pop(name) for name in group if name in names and name in self.processes}
            began = time.monotonic()
            for name, process in asked.items():
                if process.poll() is None:
                    process.send_signal(self.members[name].stop_signal)
                    process.send_signal(signal.SIGCONT)
            for name, process in asked.items():
                left = min(began + self.members[name].stop_timeout_s, deadline) - time.monotonic()
                willing = child.wait(process, max(left, 0.1))
                self.progress(name, f"{'stopped' if willing else 'killed'} after {time.monotonic() - began:.1f} s")
        self.home.note(self.pids)
