"""Prometheus itself: Debian's package as it is installed, or unpacked into the user's cache where that can be done."""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from stack.settings import jar_cache

PACKAGE: Final = "prometheus"
FAR_S: Final = 120


def program(name: str) -> str:
    """The path of ``prometheus`` or ``promtool``. Skips the test, and says so, where there is none."""
    found = shutil.which(name) or _unpacked(name)
    if found is None:
        pytest.skip(f"NOT TESTED: there is no {name}, and none can be fetched; `apt-get install {PACKAGE}`")
    return found


@cache
def _unpacked(name: str) -> str | None:
    folder = jar_cache().parent / PACKAGE
    if not folder.exists():
        with suppress(OSError, subprocess.SubprocessError):
            _fetch(folder)
    path = folder / "usr" / "bin" / name
    return str(path) if path.exists() else None


def _fetch(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        try:
            _run("apt-get", "download", PACKAGE, cwd=scratch)
        except subprocess.CalledProcessError:
            if os.geteuid() != 0:
                raise
            _run("apt-get", "update", cwd=scratch)
            _run("apt-get", "download", PACKAGE, cwd=scratch)
        [package] = Path(scratch).glob("*.deb")
        _run("dpkg-deb", "--extract", str(package), "content", cwd=scratch)
        with suppress(FileExistsError, OSError):
            (Path(scratch) / "content").rename(folder)


def _run(*command: str, cwd: str) -> None:
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, timeout=FAR_S)
