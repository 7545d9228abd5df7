"""Which Python ``make`` takes, of interpreters that only say what they are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack.python_build import build, profile_guided

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "stack" / "find_python.sh"
GUIDED = 1_000_000


def fake(file: Path, version: str, *, guided: bool = False, itself: str = "") -> Path:
    """A program that answers as an interpreter of that version would."""
    major, minor, micro = map(int, version.split("."))
    rank = GUIDED * guided + 10_000 * major + 100 * minor + micro
    line = f"{rank}\\t{major}.{minor}\\t{itself or file}\\t{version}, built {'with' if guided else 'without'} it"
    return program(file, f"printf '{line}\\n'")


def program(file: Path, line: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)
    return file


def find(*arguments: str, folders: list[Path] | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """What the script says about these folders, or about those that it looks in by itself."""
    places = {} if folders is None else {"TURNSTILE_PYTHON_FOLDERS": ":".join(map(str, folders))}
    return subprocess.run(
        (str(PROGRAM), *arguments), env=os.environ | places | more, capture_output=True, text=True, check=False
    )


def test_a_profile_guided_build_comes_before_newer_ones_and_the_others_are_named(tmp_path: Path) -> None:
    newest = fake(tmp_path / "one" / "python3.13", "3.13.0")
    guided = fake(tmp_path / "two" / "python3.11", "3.11.2", guided=True)
    found = find(folders=[tmp_path / "one", tmp_path / "two"])
    assert (found.returncode, found.stdout) == (0, f"{guided}\n")
    assert found.stderr.splitlines() == [
        f"Python 3.11.2, built with it: {guided} (taken)",
        f"Python 3.13.0, built without it: {newest}",
    ]


@pytest.mark.parametrize("guided", [False, True])
def test_among_equals_the_newest_comes_first(tmp_path: Path, guided: bool) -> None:
    for version in ("3.11.14", "3.12.9", "3.12.10"):
        fake(tmp_path / version / "python3", version, guided=guided)
    assert find(folders=sorted(tmp_path.iterdir())).stdout == f"{tmp_path}/3.12.10/python3\n"


def test_one_hidden_behind_another_of_the_same_name_is_found(tmp_path: Path) -> None:
    fake(tmp_path / "first" / "python3.11", "3.11.7")
    hidden = fake(tmp_path / "second" / "python3.11", "3.11.2", guided=True)
    assert find(folders=[tmp_path / "first", tmp_path / "second"]).stdout == f"{hidden}\n"


def test_what_is_not_usable_says_nothing_and_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    for name in ("python3.13", "python3.12", "python"):
        program(folder / name, "echo no such version >&2; exit 127")
    only = fake(folder / "python3", "3.11.7")
    assert find(folders=[folder, tmp_path / "missing"]).stdout == f"{only}\n"


def test_without_any_it_says_what_is_needed(tmp_path: Path) -> None:
    found = find(folders=[tmp_path])
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == "Turnstile needs Python 3.11, 3.12 or 3.13 with venv (Debian has it in python3-venv)\n"


def test_each_series_has_its_best_build_once(tmp_path: Path) -> None:
    one = fake(tmp_path / "one" / "python3.11", "3.11.7")
    fake(tmp_path / "one" / "python3", "3.11.7", itself=str(one))
    two = fake(tmp_path / "two" / "python3.11", "3.11.2", guided=True)
    three = fake(tmp_path / "two" / "python3.13", "3.13.1")
    found = find("--each", folders=[tmp_path / "one", tmp_path / "two"])
    assert (found.stdout, found.stderr) == (f"3.11\t{two}\n3.13\t{three}\n", "")


def test_a_wanted_one_is_taken_if_it_will_do(tmp_path: Path) -> None:
    wanted = fake(tmp_path / "python3.12", "3.12.1")
    assert find(str(wanted), folders=[]).stdout == f"{wanted}\n"
    assert find(str(program(tmp_path / "python2", "exit 1"))).returncode == 1
    lacking = find("no-such-python")
    assert (lacking.returncode, lacking.stdout) == (1, "")
    assert lacking.stderr.endswith(": no-such-python was not found\n")


def test_the_best_build_of_a_wanted_series_is_taken(tmp_path: Path) -> None:
    fake(tmp_path / "one" / "python3", "3.12.9")
    wanted = fake(tmp_path / "two" / "python3.12", "3.12.3", guided=True)
    fake(tmp_path / "two" / "python3.13", "3.13.1", guided=True)
    folders = [tmp_path / "one", tmp_path / "two"]
    assert find("3.12", folders=folders).stdout == f"{wanted}\n"
    assert find("3.11", folders=folders).returncode == 1


def test_the_versions_of_pyenv_are_found_behind_the_path(tmp_path: Path) -> None:
    fake(tmp_path / "versions" / "3.10.1" / "bin" / "python3", "3.99.0", guided=True)
    best = fake(tmp_path / "versions" / "3.13.1" / "bin" / "python3.13", "3.13.99", guided=True)
    assert find(PYENV_ROOT=str(tmp_path)).stdout == f"{best}\n"


def test_an_interpreter_tells_its_version_file_and_build() -> None:
    command = (sys.executable, "-I", "-S", str(ROOT / "stack" / "python_build.py"))
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.rstrip("\n").split("\t")
    assert told[1:] == [
        f"{sys.version_info.major}.{sys.version_info.minor}", str(Path(sys.executable).resolve()), build(),
    ]  # fmt: skip
    major, minor, micro = sys.version_info[:3]
    assert int(told[0]) == GUIDED * profile_guided() + 10_000 * major + 100 * minor + micro


def test_one_without_what_makes_environments_is_not_usable(tmp_path: Path) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    command = (sys.executable, "-S", str(ROOT / "stack" / "python_build.py"))
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (1, "")
