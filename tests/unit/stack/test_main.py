"""The operator's command is run against the servers of the data folder."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from stack.__main__ import main
from stack.postgres_files import files_of
from stack.settings import StackSettings

TOLD = """
import os, sys
print(os.environ["TURNSTILE_DATABASE_URL"], *sys.argv[1:])
sys.exit(3)
"""


@pytest.fixture(autouse=True)
def _printing_what_it_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``python -m ops`` be a program that prints what it was told."""
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "__init__.py").touch()
    (tmp_path / "ops" / "__main__.py").write_text(TOLD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    monkeypatch.setenv("TURNSTILE_HOME", str(tmp_path / "home"))


def test_it_gets_the_addresses_and_secrets_of_the_stack_and_its_exit_code_counts(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TURNSTILE_POSTGRES_PORT", "23456")
    assert CliRunner().invoke(main, ["operate", "dlq", "--help"]).exit_code == 3
    assert capfd.readouterr().out.endswith("@127.0.0.1:23456/turnstile dlq --help\n")


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    url = "postgresql://elsewhere/turnstile"
    monkeypatch.setenv("TURNSTILE_DATABASE_URL", url)
    assert CliRunner().invoke(main, ["operate", "status"]).exit_code == 3
    assert capfd.readouterr().out == f"{url} status\n"


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
