"""Where PostgreSQL lies and as whom it runs."""

import os
from pathlib import Path

import pytest

from stack import postgres_files
from stack.postgres_files import REACHABLE, files_of, reachable


@pytest.fixture
def open_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts as reachable, though pytest keeps its own folders closed."""
    monkeypatch.setattr(postgres_files, "reachable", lambda folder: not folder.name.startswith("closed"))
    return tmp_path


def test_a_closed_folder_anywhere_above_is_unreachable(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not reachable(inner)
    assert reachable(Path("/usr/bin"))


def test_an_ordinary_user_runs_it_as_itself_in_the_data_folder(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = files_of(open_folder / "closed" / "home")
    assert (found.folder, found.user) == (open_folder / "closed" / "home" / "postgres", None)


def test_root_gives_it_away_inside_a_reachable_data_folder(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres_files, "system_user", lambda: 65534)
    found = files_of(open_folder / "home")
    assert (found.folder, found.user) == (open_folder / "home" / "postgres", 65534)


def test_root_keeps_it_elsewhere_when_the_user_could_not_reach_it(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres_files, "system_user", lambda: 65534)
    one, other = files_of(open_folder / "closed" / "one"), files_of(open_folder / "closed" / "other")
    assert one.folder.parent == other.folder.parent == REACHABLE
    assert one.folder != other.folder
