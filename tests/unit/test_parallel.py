"""Tests that run in several processes are reported as if one had run them."""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PASSING: Final = "def test_a() -> None: pass\ndef test_b() -> None: pass\n"
FAILING: Final = "def test_c() -> None: assert 'this' == 'that'\n"
ENDING: Final = "import os\ndef test_d() -> None: os._exit(0)\n"


def run(folder: Path, *files: str) -> tuple[int, str]:
    """The exit code and the output of pytest for files of tests."""
    for number, content in enumerate(files):
        (folder / f"test_{number}.py").write_text(content)
    options = ("-q", "-p", "no:schemathesis", "-p", "tests.unit.parallel", "--processes", "2")
    command = (sys.executable, "-m", "pytest", *options, str(folder))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_each_test_runs_once_and_a_failure_is_told(tmp_path: Path) -> None:
    code, output = run(tmp_path, PASSING, PASSING, FAILING)
    assert (code, output.count("\nE   AssertionError: assert 'this' == 'that'")) == (1, 1)
    assert "1 failed, 4 passed in " in output


def test_a_process_that_ends_before_its_tests_do_is_a_failure(tmp_path: Path) -> None:
    code, output = run(tmp_path, PASSING, ENDING)
    assert (code, " of 3 tests ended" in output) == (1, True)
