"""Commands of the project are run against the servers of the data folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOLD = "import os, sys; print(os.environ['TURNSTILE_DATABASE_URL']); sys.exit(int(os.environ.get('CODE', '0')))"


@pytest.fixture
def command(tmp_path: Path) -> dict[str, str]:
    """The environment in which ``python -m told`` prints what it was told."""
    (tmp_path / "told.py").write_text(TOLD)
    paths = {"PYTHONPATH": str(tmp_path), "TURNSTILE_HOME": str(tmp_path / "home")}
    return {**os.environ, **paths}


def run(*modules: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "stack", "do", *modules)
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)


def test_each_gets_the_addresses_and_secrets_of_the_stack_and_the_worst_code_counts(command: dict[str, str]) -> None:
    done = run("told", "told", env=command | {"TURNSTILE_POSTGRES_PORT": "23456", "CODE": "3"})
    assert done.returncode == 3
    assert done.stdout.count("@127.0.0.1:23456/turnstile") == 2


def test_the_environment_comes_first(command: dict[str, str]) -> None:
    done = run("told", env=command | {"TURNSTILE_DATABASE_URL": "postgresql://elsewhere/turnstile"})
    assert (done.returncode, done.stdout) == (0, "postgresql://elsewhere/turnstile\n")
