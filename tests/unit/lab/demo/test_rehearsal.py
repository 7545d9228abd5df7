"""A rehearsal whose older checkout doesn't start, or doesn't stop."""

import sys
from pathlib import Path

import pytest

from lab.demo.drill import DrillFailed
from lab.demo.rehearsal import STARTED, running_from
from stack.settings import StackSettings

# A shell can't catch a signal that was ignored when it began, as Ctrl-C is in a job in the background.
UNTIL_CTRL_C = f"""
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
signal.signal(signal.SIGINT, signal.default_int_handler)
print('{STARTED}', flush=True)
signal.sigwait([signal.SIGINT])
print('stopped')
"""


def checkout(folder: Path, program: str) -> Path:
    """A folder whose Python is this shell script."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{program}\n")
    python.chmod(0o755)
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> StackSettings:
    return StackSettings(home=tmp_path / "home", kafka_port=21_001)


def test_it_is_started_with_the_folder_and_the_ports_and_stopped_by_ctrl_c(
    tmp_path: Path, settings: StackSettings
) -> None:
    old = checkout(
        tmp_path / "old", f'echo $* $TURNSTILE_HOME $TURNSTILE_KAFKA_PORT; exec {sys.executable} -c "{UNTIL_CTRL_C}"'
    )
    log = tmp_path / "log"
    with running_from(old, settings, log):
        assert f"-m stack run {settings.home} 21001" in log.read_text()
    assert log.read_text().endswith("stopped\n")


def test_one_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path, settings: StackSettings) -> None:
    old = checkout(tmp_path / "old", "echo the port is taken; exit 1")
    with (
        pytest.raises(DrillFailed, match="did not start:\nthe port is taken"),
        running_from(old, settings, tmp_path / "l"),
    ):
        pytest.fail("it runs")


def test_one_that_was_never_installed_is_told(tmp_path: Path, settings: StackSettings) -> None:
    with pytest.raises(DrillFailed, match=r"has no \.venv"), running_from(tmp_path, settings, tmp_path / "log"):
        pytest.fail("it runs")


def test_one_that_does_not_stop_is_killed_and_told(tmp_path: Path, settings: StackSettings) -> None:
    old = checkout(tmp_path / "old", f"trap '' INT; echo '{STARTED}'; while :; do sleep 0.1; done")
    with pytest.raises(DrillFailed, match="did not stop"), running_from(old, settings, tmp_path / "log", 0.2):
        pass
