"""What a test writes outside of the run's folder fails it."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.settings import StackSettings


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp().with_name("outside")


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_text("left"),
        lambda path: path.open("ab"),
        lambda path: os.open(path, os.O_RDWR | os.O_CREAT),
        lambda path: os.open(os.fsencode(path), os.O_WRONLY),
        lambda path: path.touch(),
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("/dev/null"),
        lambda path: os.link(__file__, path),
        lambda path: Path("left").rename(path),
    ],
)
def test_a_file_or_folder_elsewhere_is_refused_by_name(
    write: Callable[[Path], object], outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("left").touch()
    with pytest.raises(AssertionError, match=f"a test writes {outside}, outside of the folder of its run"):
        write(outside)
    assert not outside.exists()


def test_files_elsewhere_may_be_read_and_devices_written(outside: Path) -> None:
    assert Path(__file__).read_text()
    Path(os.devnull).write_text("forgotten")
    with pytest.raises(FileNotFoundError):
        outside.read_text()


def test_what_has_a_place_of_its_own_has_it_in_the_folder_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.getbasetemp()
    with tempfile.TemporaryDirectory() as folder:
        assert Path(folder).is_relative_to(base)
    assert StackSettings().postgres_folder.is_relative_to(base)
