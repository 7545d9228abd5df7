"""Programs from Debian packages: installed ones, else unpacked into the user's cache."""

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

# By program: its package, and those of its libraries that a small system lacks.
PACKAGES: Final = {
    "prometheus": ("prometheus",),
    "promtool": ("prometheus",),
    "prometheus-alertmanager": ("prometheus-alertmanager",),
    "amtool": ("prometheus-alertmanager",),
    "prometheus-node-exporter": ("prometheus-node-exporter",),
    "haproxy": ("haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1"),
}
FAR_S: Final = 120


def program(name: str) -> tuple[str, ...]:
    """The command that runs a program. Skips the test with a message if it can't be had."""
    found = shutil.which(name)
    command = (found,) if found else _unpacked(PACKAGES[name], name)
    if not command:
        pytest.skip(f"NOT TESTED: there is no {name}, and none can be fetched; `apt-get install {PACKAGES[name][0]}`")
    return command


@cache
def _unpacked(packages: tuple[str, ...], name: str) -> tuple[str, ...]:
    folder = jar_cache().parent / packages[0]
    if not folder.exists():
        with suppress(OSError, subprocess.SubprocessError):
            _fetch(packages, folder)
    libraries = ":".join(sorted({str(path.parent) for path in folder.glob("usr/lib/**/*.so.*")}))
    found = [path for path in (folder / "usr" / "bin" / name, folder / "usr" / "sbin" / name) if path.exists()]
    return ("env", f"LD_LIBRARY_PATH={libraries}", str(found[0])) if found else ()


def _fetch(packages: tuple[str, ...], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        try:
            _run("apt-get", "download", *packages, cwd=scratch)
        except subprocess.CalledProcessError:
            if os.geteuid() != 0:
                raise
            _run("apt-get", "update", cwd=scratch)
            _run("apt-get", "download", *packages, cwd=scratch)
        for package in Path(scratch).glob("*.deb"):
            _run("dpkg-deb", "--extract", str(package), "content", cwd=scratch)
        with suppress(FileExistsError, OSError):
            (Path(scratch) / "content").rename(folder)


def _run(*command: str, cwd: str) -> None:
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, timeout=FAR_S)
