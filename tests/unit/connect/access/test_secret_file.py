import errno
import os
from multiprocessing import get_context
from pathlib import Path

import pytest

from connect.access.secret_file import write_once


def test_a_file_is_written_once_and_others_may_not_read_it(tmp_path: Path) -> None:
    file = tmp_path / "key"
    assert write_once(file, "first", 0o600)
    assert not write_once(file, "second", 0o600)
    assert file.read_text() == "first"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_write_that_fails_leaves_nothing_that_would_be_taken_for_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, text: str) -> int:
        raise OSError(28, f"no space for {len(text)} characters")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="no space"):
        write_once(tmp_path / "key", "first", 0o600)
    assert list(tmp_path.iterdir()) == []


def test_of_several_at_once_one_writes_and_all_read_the_same(tmp_path: Path) -> None:
    file = tmp_path / "key"
    with get_context("spawn").Pool(3) as pool:
        written = pool.starmap(write_once, [(file, name * 40, 0o600) for name in "abcdef"])
    assert sum(written) == 1
    assert file.read_text() == "abcdef"[written.index(True)] * 40


@pytest.fixture
def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without hard links."""

    def link(_: Path, path: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

    monkeypatch.setattr(os, "link", link)


@pytest.mark.usefixtures("no_links")
def test_without_hard_links_a_file_is_written_once_too(tmp_path: Path) -> None:
    file = tmp_path / "key"
    assert write_once(file, "first", 0o444)
    assert not write_once(file, "second", 0o444)
    assert file.read_text() == "first"
    assert file.stat().st_mode & 0o777 == 0o444
    assert list(tmp_path.iterdir()) == [file]


def test_without_hard_links_the_first_of_several_wins_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(_: Path, path: Path) -> None:
        path.write_text("first")
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

    monkeypatch.setattr(os, "link", link)
    assert not write_once(tmp_path / "key", "second", 0o600)
    assert (tmp_path / "key").read_text() == "first"


@pytest.mark.usefixtures("no_links")
def test_without_hard_links_a_write_that_fails_leaves_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, path: Path) -> None:
        raise OSError(28, f"no space for {path}")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_once(tmp_path / "key", "first", 0o600)
    assert list(tmp_path.iterdir()) == []
