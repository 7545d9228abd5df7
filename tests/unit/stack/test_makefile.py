"""The Makefile: what it does with paths."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]
# By target, the variable of a path.
PATHS: Final = {"backup": "TO", "rehearsal": "FROM", "structure": "WITH"}


@pytest.mark.parametrize("target", PATHS)
def test_a_path_with_a_space_is_one_word(target: str) -> None:
    command = ("make", "--dry-run", "--no-print-directory", target, f"{PATHS[target]}=two words")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert '"two words"' in done.stdout


def test_a_clone_that_was_moved_needs_no_new_environment() -> None:
    """The scripts of an environment name its Python by the place where it was made."""
    run = re.findall(r"^\t[@-]?\$\(BIN\)/(\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"python", "ruff", "hadolint"} <= set(run)
    folder = Path(sys.executable).parent
    scripts = [name for name in run if (folder / name).read_bytes().startswith(b"#!")]
    assert scripts == []
