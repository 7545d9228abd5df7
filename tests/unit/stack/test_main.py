"""The operator's command is run against the servers of the data folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from stack.__main__ import main
from stack.postgres_files import files_of
from stack.settings import StackSettings

ROOT = Path(__file__).parents[3]
TOLD = """
import os, sys
print(os.environ["TURNSTILE_DATABASE_URL"], *sys.argv[1:], flush=True)
sys.exit(3)
"""
SLEEPER = f"""
import signal, time
signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
{TOLD.replace("sys.exit(3)", "time.sleep(20)")}
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNSTILE_HOME", str(tmp_path / "home"))


@pytest.fixture
def operator(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``python -m ops`` is a program that prints what it was told."""
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "__init__.py").touch()
    (tmp_path / "ops" / "__main__.py").write_text(TOLD)
    return {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "PYTHONSAFEPATH": "1"}


def operate(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "stack", "operate", *arguments)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_it_gets_the_addresses_and_secrets_of_the_stack_and_its_exit_code_counts(operator: dict[str, str]) -> None:
    done = operate(operator | {"TURNSTILE_POSTGRES_PORT": "23456"}, "dlq", "--help")
    assert done.returncode == 3
    assert done.stdout.endswith("@127.0.0.1:23456/turnstile dlq --help\n")


def test_the_environment_comes_first_and_a_signal_reaches_the_command_itself(
    tmp_path: Path, operator: dict[str, str]
) -> None:
    url = "postgresql://elsewhere/turnstile"
    (tmp_path / "ops" / "__main__.py").write_text(SLEEPER)
    command = (sys.executable, "-m", "stack", "operate", "status")
    environment = operator | {"TURNSTILE_DATABASE_URL": url}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{url} status\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


@pytest.mark.parametrize("text", ["{", "[1]", "\udcff"])
def test_a_damaged_note_of_the_last_run_is_named_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "home").mkdir()
    note = tmp_path / "home" / "chosen.json"
    note.write_text(text, errors="surrogateescape")
    done = CliRunner().invoke(main, ["operate", "status"])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"turnstile: {note} is damaged: ")


def test_the_command_is_run_from_any_folder_and_by_a_link(tmp_path: Path) -> None:
    link = tmp_path / "turnstile"
    link.symlink_to(ROOT / "turnstile")
    (tmp_path / "stack.py").write_text("raise SystemExit('of another program')")
    done = subprocess.run((link, "wal-segment", "--help"), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_shell_reads_the_environment_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "Ada's $HOME"
    monkeypatch.setenv("TURNSTILE_HOME", str(home))
    printed = CliRunner().invoke(main, ["env"]).output
    shell = ("sh", "-c", 'eval "$1"; printf %s "$TURNSTILE_SUPERVISOR_FILE"', "sh", printed)
    assert subprocess.run(shell, capture_output=True, text=True, check=True).stdout == str(home / "parts.json")


def test_output_that_nobody_reads_is_no_failure() -> None:
    shell = ("bash", "-c", 'set -o pipefail; "$0" -m stack env | true', sys.executable)
    done = subprocess.run(shell, cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")


def test_the_jars_are_locked_by_what_no_other_command_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stack.jars.locking.lock", lambda: iter(("kafka: 3 jars", "jmx: 1 jars")))
    assert CliRunner().invoke(main, ["jars"]).output == "kafka: 3 jars\njmx: 1 jars\n"


def test_clean_deletes_the_files_of_postgresql_where_the_run_was_told_to_put_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    files_of(home, elsewhere).folder.mkdir(parents=True)
    home.mkdir(exist_ok=True)
    (home / "lock").touch()
    StackSettings(home=home, postgres_folder=elsewhere).remember()
    monkeypatch.setenv("TURNSTILE_HOME", str(home))
    monkeypatch.delenv("TURNSTILE_POSTGRES_FOLDER")
    assert CliRunner().invoke(main, ["clean"]).exit_code == 0
    assert not home.exists()
    assert not files_of(home, elsewhere).folder.exists()


@pytest.mark.parametrize("arguments", [("backup", "{}/dump"), ("backup-all", "{}/sets")])
def test_a_folder_that_cannot_be_used_is_told_in_one_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    file = tmp_path / "file"
    file.touch()
    home = {"TURNSTILE_HOME": str(tmp_path / "home")}
    done = CliRunner().invoke(main, [word.format(file) for word in arguments], env=home)
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == 1
    assert done.output.count("\n") == 1
    assert str(file) in done.output
