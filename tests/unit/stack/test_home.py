"""The data folder: one at a time, left-overs, removal."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from stack.errors import HomeInUse, StackError
from stack.home import Home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home"


def home_in(folder: Path) -> Home:
    return Home(folder, folder.parent / "postgres")


def test_two_supervisors_on_one_folder_are_refused_by_its_name(folder: Path) -> None:
    first, second = home_in(folder), home_in(folder)
    first.lock()
    with pytest.raises(HomeInUse, match=f"{folder} is in use by process"):
        second.lock()
    first.release()
    second.lock()
    second.release()


def test_processes_of_a_killed_supervisor_are_waited_for_and_killed_when_they_linger(folder: Path) -> None:
    home = home_in(folder)
    home.lock()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        home.note({"kafka": process.pid})
        home_in(folder).outlive(0.2)
        assert not psutil.pid_exists(process.pid) or process.wait(5)
    home.release()


def test_a_process_that_only_has_the_number_of_a_noted_one_is_left_alone(folder: Path) -> None:
    home = home_in(folder)
    home.lock()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        (folder / "processes.json").write_text(json.dumps({"kafka": [process.pid, 1.0]}))
        home.outlive()
        assert process.poll() is None
        process.kill()
    home.release()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kafka": 1}'])
def test_an_unreadable_note_counts_as_none(folder: Path, text: str) -> None:
    home = home_in(folder)
    home.lock()
    (folder / "processes.json").write_text(text)
    home.outlive()
    home.release()


def test_a_data_folder_is_removed(folder: Path) -> None:
    home = home_in(folder)
    home.lock()
    home.release()
    home.remove()
    assert not folder.exists()
    home.remove()


def test_a_folder_in_use_is_not_removed(folder: Path) -> None:
    home = home_in(folder)
    home.lock()
    with pytest.raises(HomeInUse):
        home_in(folder).remove()
    assert folder.exists()
    home.release()


def test_a_folder_that_is_none_of_ours_is_not_removed(folder: Path) -> None:
    folder.mkdir()
    (folder / "letters").touch()
    for action in (Home.remove, Home.lock):
        with pytest.raises(StackError, match="has other files"):
            action(home_in(folder))
    assert [path.name for path in folder.iterdir()] == ["letters"]


@pytest.mark.parametrize("name", ["secrets", "logs", "snapshots", "lost+found"])
def test_a_folder_that_has_only_what_comes_before_the_first_run_is_a_data_folder(folder: Path, name: str) -> None:
    (folder / name).mkdir(parents=True)
    home = home_in(folder)
    home.lock()
    home.release()
    home.remove()
    assert not (folder / "lock").exists()
    assert folder.exists() == (name == "lost+found")


def test_what_commands_made_before_the_first_run_is_removed(folder: Path) -> None:
    (folder / "snapshots" / "0").mkdir(parents=True)
    home_in(folder).remove()
    assert not folder.exists()


@pytest.mark.parametrize("stuck", ["chosen.json", "ledger-0", "zipkin"])
def test_an_interrupted_removal_can_be_repeated(folder: Path, monkeypatch: pytest.MonkeyPatch, stuck: str) -> None:
    """Whichever is the last that could be deleted."""
    home = home_in(folder)
    home.lock()
    home.release()
    (folder / "chosen.json").touch()
    for name in ("kafka", "ledger-0", "zipkin"):
        (folder / name / "data").mkdir(parents=True)
    delete = {"unlink": os.unlink, "rmdir": os.rmdir}

    def refuse(name: str, path: str | Path, **more: Any) -> None:
        if Path(path).name == stuck:
            raise KeyboardInterrupt
        delete[name](path, **more)

    with monkeypatch.context() as patched:
        for name in delete:
            patched.setattr(os, name, partial(refuse, name))
        with pytest.raises(KeyboardInterrupt):
            home.remove()
    home.release()
    assert (folder / stuck).exists()
    home.remove()
    assert not folder.exists()
