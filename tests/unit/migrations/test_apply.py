"""The steps on disk."""

from pathlib import Path

import pytest

from migrations.apply import FOLDER, read_steps
from migrations.errors import UnreadableStep


def write(folder: Path, name: str, text: str = "SELECT 1;") -> None:
    (folder / name).write_text(text)


def test_steps_come_in_their_order(tmp_path: Path) -> None:
    for name in ("0002_b", "0010_c", "0001_a"):
        write(tmp_path, f"{name}.sql")
        write(tmp_path, f"{name}.rollback.sql")
    assert [step.id for step in read_steps(tmp_path)] == ["0001_a", "0002_b", "0010_c"]


@pytest.mark.parametrize("edited", ["0001_a.sql", "0001_a.rollback.sql"])
def test_an_edit_changes_the_checksum(tmp_path: Path, edited: str) -> None:
    write(tmp_path, "0001_a.sql")
    write(tmp_path, "0001_a.rollback.sql")
    [before] = read_steps(tmp_path)
    write(tmp_path, edited, "SELECT 2;")
    [after] = read_steps(tmp_path)
    assert before.checksum != after.checksum


def test_a_step_that_cannot_be_undone_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "0001_a.sql")
    with pytest.raises(UnreadableStep, match=r"0001_a\.rollback\.sql is missing"):
        read_steps(tmp_path)


def test_a_misnamed_step_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "1-a.sql")
    with pytest.raises(UnreadableStep, match=r"1-a\.sql"):
        read_steps(tmp_path)


def test_the_projects_own_steps_are_readable_and_numbered_without_gaps() -> None:
    numbers = [int(step.id[:4]) for step in read_steps(FOLDER)]
    assert numbers == list(range(1, len(numbers) + 1))
