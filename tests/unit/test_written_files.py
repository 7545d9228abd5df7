"""What a test writes outside of the run's folder fails it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.settings import StackSettings
from tests.unit.written_files import ROOT


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


def test_the_folder_of_downloaded_programs_is_made_with_those_above_it(tmp_path: Path) -> None:
    """In a process of its own, with a home in which nothing is yet."""
    home = tmp_path / "home"
    script = (
        "import pathlib, sys\n"
        "from stack.settings import jar_cache\n"
        "from tests.unit.written_files import refuse_writes_outside\n"
        "with refuse_writes_outside(pathlib.Path(sys.argv[1])):\n"
        "    (jar_cache().parent / 'program').mkdir(parents=True)\n"
        "    (jar_cache().parent / 'program' / 'file').touch()\n"
    )
    environment = {**os.environ, "HOME": str(home)}
    environment.pop("XDG_CACHE_HOME", None)
    subprocess.run([sys.executable, "-c", script, tmp_path / "elsewhere"], check=True, env=environment, cwd=ROOT)
    assert (home / ".cache" / "turnstile" / "program" / "file").exists()


def test_what_has_a_place_of_its_own_has_it_in_the_folder_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.getbasetemp()
    with tempfile.TemporaryDirectory() as folder:
        assert Path(folder).is_relative_to(base)
    assert StackSettings().postgres_folder.is_relative_to(base)
