"""Where PostgreSQL lies and as whom it runs."""

import os
from pathlib import Path

import pytest

from stack import postgres_files
from stack.postgres_files import files_of, reachable


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
    found = files_of(open_folder / "closed" / "home", open_folder / "elsewhere")
    assert (found.folder, found.user) == (open_folder / "closed" / "home" / "postgres", None)


def test_root_gives_it_away_inside_a_reachable_data_folder(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres_files, "system_user", lambda: 65534)
    found = files_of(open_folder / "home", open_folder / "elsewhere")
    assert (found.folder, found.user) == (open_folder / "home" / "postgres", 65534)


def test_root_keeps_it_elsewhere_when_the_user_could_not_reach_it(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres_files, "system_user", lambda: 65534)
    elsewhere = open_folder / "elsewhere"
    one, other = (files_of(open_folder / "closed" / name, elsewhere) for name in ("one", "other"))
    assert one.folder.parent == other.folder.parent == elsewhere
    assert one.folder != other.folder


def test_root_copies_programs_that_the_user_could_not_reach(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = open_folder / "closed" / "embedded"
    (installed / "pginstall" / "bin").mkdir(parents=True)
    (installed / "pginstall" / "bin" / "postgres").touch(mode=0o700)
    installed.with_name("embedded.libs").mkdir()
    monkeypatch.setattr(postgres_files, "reachable", lambda folder: "closed" not in folder.parts)
    monkeypatch.setattr(postgres_files, "package", lambda: installed)
    monkeypatch.setattr(postgres_files, "system_user", lambda: 65534)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    files = files_of(open_folder / "home", open_folder / "elsewhere")
    files.install()
    assert files.programs.is_relative_to(open_folder / "elsewhere")
    assert (files.programs / "postgres").stat().st_mode & 0o777 == 0o705
