"""The command line as a whole: its commands are there, start without each other, and end with one line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from pkgutil import resolve_name
from types import MappingProxyType
from typing import Any

import pytest
from click.testing import CliRunner

from lab.free_ports import free
from ops.__main__ import COMMANDS, ERRORS, turnstile
from tests.unit.ops.forked import Ended, run_forked

ROOT = Path(__file__).parents[3]
LOADED = "import sys; from ops.__main__ import turnstile; [turnstile.commands[n] for n in {!r}]; print(*sys.modules)"
# Commands that only look at files, and what none of them has to load.
LIGHT = ("secrets", "gate", "wal-segment")
HEAVY = {"faust", "flask", "streams", "api", "aiokafka", "elasticsearch"}
NEED_SERVERS = ("verify", "replay", "reindex", "dlq list")
# They log a line for each step.
STEPS = ("restored", "connectors register")


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
    done = run_command("console.print(1)", output=closed)
    assert (done.returncode, done.stderr) == (0, b"")


def run_command(
    do: str, variables: Mapping[str, str] = MappingProxyType({}), output: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """A command that does that; its output goes where a shell is told."""
    program = f"""
import rich_click as click
from ops.__main__ import main, turnstile

@click.command()
def status() -> None:
    from ops.terminal import console
    {do}

turnstile.commands = {{"status": status}}
main()
"""
    shell = f'set -o pipefail; "{sys.executable}" -c "$PROGRAM" status {output}'
    environment = {**os.environ, "PROGRAM": program, **variables}
    return subprocess.run(("bash", "-c", shell), cwd=ROOT, env=environment, capture_output=True, check=False)


def test_a_character_that_a_stream_lacks_is_written_otherwise() -> None:
    done = run_command("print('…')", {"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stdout, done.stderr) == (0, b"\\u2026\n", b"")


@pytest.mark.parametrize(("raised", "code"), [("KeyboardInterrupt", 130), ("SystemExit(1)", 1)])
def test_a_command_that_finds_nothing_does_not_end_as_one_that_does(raised: str, code: int) -> None:
    done = run_command(f"raise {raised}")
    assert (done.returncode, done.stderr) == (code, b"")


def test_a_server_that_hangs_up_is_one_line_and_exit_code_2() -> None:
    done = run_command("raise BrokenPipeError(32, 'Broken pipe')")
    assert (done.returncode, done.stderr) == (2, b"turnstile: [Errno 32] Broken pipe\n")


@pytest.mark.parametrize("printer", ["print", "console.print"])
def test_output_that_nobody_reads_is_no_finding(printer: str) -> None:
    done = run_command(f"[{printer}(number) for number in range(20_000)]", output="| true")
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("option", ["ledger snapshot --every-hours", "verify --within"])
@pytest.mark.parametrize("value", ["nan", "inf", "1e400", "-1", "soon"])
def test_a_time_that_nobody_can_wait_is_refused(option: str, value: str) -> None:
    done = CliRunner().invoke(turnstile, [*option.split(), value])
    assert (done.exit_code, option.rsplit(maxsplit=1)[-1] in done.output) == (2, True)


def test_a_help_that_nobody_reads_is_no_finding() -> None:
    shell = f'set -o pipefail; "{sys.executable}" -m ops --help | true'
    done = subprocess.run(("bash", "-c", shell), cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """What became of commands whose servers are away. They run at once: some wait."""
    [port] = free(1)
    away = {"KAFKA_SERVERS": f"127.0.0.1:{port}", "DATABASE_URL": f"postgresql://127.0.0.1:{port}/turnstile"}
    more = {"TICKET_KEY": "k" * 32, "BOOTSTRAP_SECONDS": "1"}
    variables = {f"TURNSTILE_{name}": value for name, value in (away | more).items()}
    return run_forked(tmp_path_factory.mktemp("asked"), variables, *NEED_SERVERS, *STEPS)


@pytest.mark.parametrize("command", NEED_SERVERS)
def test_a_server_that_does_not_answer_is_one_line_and_exit_code_2(command: str, asked: dict[str, Ended]) -> None:
    code, output, errors = asked[command]
    assert (code, output) == (2, ""), errors
    [line] = errors.splitlines()
    assert line.startswith("turnstile: ")


@pytest.mark.parametrize("command", STEPS)
def test_a_command_of_several_steps_does_so_too_in_its_log(command: str, asked: dict[str, Ended]) -> None:
    code, output, errors = asked[command]
    *_, last = [json.loads(line) for line in output.splitlines()]
    assert (code, last["level"], errors) == (2, "critical", "")
