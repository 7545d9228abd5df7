"""The command line as a whole: its commands are there, start without each other, and end with one line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from click.testing import CliRunner

from ops.__main__ import COMMANDS, ERRORS, turnstile
from stack.ports import free

ROOT = Path(__file__).parents[3]
LOADED = "import sys; from ops.__main__ import turnstile; [turnstile.commands[n] for n in {!r}]; print(*sys.modules)"
# Commands that only look at files, and what none of them has to load.
LIGHT = ("secrets", "gate", "wal-segment")
HEAVY = {"faust", "flask", "streams", "api", "aiokafka", "elasticsearch"}
NEED_SERVERS = ("verify", "replay", "reindex", "dlq list")
# Runs commands at once, each in a process that has all of them loaded: to load them takes longer than they run.
ALL_LOADED = """
import os, sys
from ops.__main__ import main, turnstile

commands = [command.split() for command in sys.argv[1:]]
assert all(turnstile.commands[name] for name, *_ in commands)
running = {}
for number, command in enumerate(commands):
    if not (process := os.fork()):
        for place, descriptor in (("output", 1), ("errors", 2)):
            os.dup2(os.open(f"{number}.{place}", os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
        sys.argv[1:] = command
        sys.exit(main())
    running[number] = process
for number, process in running.items():
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"""


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


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "2>&-"])
def test_a_closed_stream_ends_no_command(closed: str) -> None:
    program = f'"{sys.executable}" -m ops topics --help {closed}'
    done = subprocess.run(("bash", "-c", program), cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_character_that_a_stream_lacks_is_written_otherwise() -> None:
    variables = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run((sys.executable, "-m", "ops", "--help"), env=variables, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u2026" in done.stdout


@pytest.mark.parametrize(
    ("raised", "code"), [("KeyboardInterrupt", 130), ("BrokenPipeError", 141), ("SystemExit(1)", 1)]
)
def test_a_command_that_finds_nothing_does_not_end_as_one_that_does(raised: str, code: int) -> None:
    program = f"""
import rich_click as click
from ops.__main__ import main, turnstile

@click.command()
def status() -> None:
    print("x")
    raise {raised}

turnstile.commands = {{"status": status}}
main()
"""
    done = subprocess.run((sys.executable, "-c", program, "status"), cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (code, b"")


def test_output_that_nobody_reads_is_no_finding() -> None:
    program = f'set -o pipefail; "{sys.executable}" -m ops docs settings | true'
    done = subprocess.run(("bash", "-c", program), cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, str]]:
    """What became of commands whose servers are away: exit code, output and errors. They run at once: some wait."""
    [port] = free(1)
    folder = tmp_path_factory.mktemp("asked")
    away = {"KAFKA_SERVERS": f"127.0.0.1:{port}", "DATABASE_URL": f"postgresql://127.0.0.1:{port}/turnstile"}
    environment = {f"TURNSTILE_{name}": value for name, value in (away | {"TICKET_KEY": "k" * 32}).items()}
    program = (sys.executable, "-c", ALL_LOADED, *NEED_SERVERS)
    variables = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(program, cwd=folder, env=variables, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    return {
        command: (int(code), (folder / f"{number}.output").read_text(), (folder / f"{number}.errors").read_text())
        for number, (command, code) in enumerate(zip(NEED_SERVERS, done.stdout.split(), strict=True))
    }


@pytest.mark.parametrize("command", NEED_SERVERS)
def test_a_server_that_does_not_answer_is_one_line_and_exit_code_2(
    command: str, asked: dict[str, tuple[int, str, str]]
) -> None:
    code, output, errors = asked[command]
    assert (code, output) == (2, ""), errors
    [line] = errors.splitlines()
    assert line.startswith("turnstile: ")
