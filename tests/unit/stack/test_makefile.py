"""The Makefile: what it does with paths."""

import re
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name
from typing import Final

import pytest
from click.testing import CliRunner

ROOT: Final = Path(__file__).parents[3]
# By target, the variable of a path.
PATHS: Final = {"backup": "TO", "rehearsal": "FROM", "structure": "WITH"}


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("stack.__main__:main", ["backup-all"]),
        ("lab.demo.rehearsal:command", []),
        ("lab.structure.__main__:main", ["--tree"]),
    ],
)
def test_a_path_with_a_tilde_is_in_the_home_though_no_shell_replaced_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, arguments: list[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "file").touch()
    done = CliRunner().invoke(resolve_name(program), [*arguments, "~/file"])
    assert (done.exit_code, str(tmp_path / "file") in done.output.replace("\n", "")) == (2, True), done.output


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
