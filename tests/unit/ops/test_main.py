"""The command line as a whole: its commands are there, start without each other, and end with one line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from click.testing import CliRunner

from ops.__main__ import COMMANDS, ERRORS, turnstile
from stack.ports import free

LOADED = "import sys; from ops.__main__ import turnstile; [turnstile.commands[n] for n in {!r}]; print(*sys.modules)"
# Commands that only look at files, and what none of them has to load.
LIGHT = ("secrets", "gate", "wal-segment")
HEAVY = {"faust", "flask", "streams", "api", "aiokafka", "elasticsearch"}
NEED_SERVERS = ("verify", "replay", "reindex", "dlq list")


def every_command(group: Any) -> Iterator[Any]:
    for name, command in group.commands.items():
        assert command.name == name
        yield command
        if hasattr(command, "commands"):
            yield from every_command(command)


def test_each_command_says_what_it_is_for() -> None:
    for command in every_command(turnstile):
        assert len((command.help or "").split()) > 5, command.name


def test_the_help_lists_every_command() -> None:
    listed = CliRunner().invoke(turnstile, ["--help"]).output
    assert [name for name in COMMANDS if name not in listed] == []


def test_a_command_that_there_is_not_is_named() -> None:
    done = CliRunner().invoke(turnstile, ["repair"])
    assert (done.exit_code, "repair" in done.output) == (2, True)


def test_a_command_starts_without_the_others() -> None:
    program = (sys.executable, "-c", LOADED.format(LIGHT))
    loaded = subprocess.run(program, capture_output=True, text=True, check=True).stdout.split()
    assert HEAVY & set(loaded) == set()


@pytest.mark.parametrize("place", ERRORS)
def test_each_expected_error_is_an_exception_of_its_module(place: tuple[str, str]) -> None:
    assert issubclass(resolve_name(":".join(place)), Exception)


def test_a_folder_that_cannot_be_made_is_named_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    program = (sys.executable, "-m", "ops", "secrets", str(file / "secrets"))
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert str(file / "secrets") in done.stderr


@pytest.fixture(scope="module")
def asking() -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Commands whose servers are away, all at once: some wait for seconds."""
    [port] = free(1)
    away = {"KAFKA_SERVERS": f"127.0.0.1:{port}", "DATABASE_URL": f"postgresql://127.0.0.1:{port}/turnstile"}
    environment = {f"TURNSTILE_{name}": value for name, value in (away | {"TICKET_KEY": "k" * 32}).items()}
    with ExitStack() as running:
        yield {command: running.enter_context(turnstile_in(environment, command)) for command in NEED_SERVERS}


def turnstile_in(environment: dict[str, str], command: str) -> subprocess.Popen[str]:
    program = (sys.executable, "-m", "ops", *command.split())
    variables = {**os.environ, **environment}
    return subprocess.Popen(program, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("command", NEED_SERVERS)
def test_a_server_that_does_not_answer_is_one_line_and_exit_code_2(
    command: str, asking: dict[str, subprocess.Popen[str]]
) -> None:
    output, errors = asking[command].communicate(timeout=60)
    assert (asking[command].returncode, output) == (2, ""), errors
    [line] = errors.splitlines()
    assert line.startswith("turnstile: ")
