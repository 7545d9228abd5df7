"""Podman, which runs containers without a daemon. Installed from Debian's packages where it is missing."""

import os
import resource
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = {"podman": "podman", "runc": "runc", "mmdebstrap": "mmdebstrap"}
VERSION: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
BUILD_TIMEOUT_S: Final = 900
CERTIFICATES: Final = "/etc/ssl/certs"
# What Debian's base image needs, so that the Dockerfile finds in it what it finds in the official one.
BASE_PACKAGES: Final = (
    *("ca-certificates", "libstdc++6", "netbase", "passwd", "python-is-python3", "python3", "python3-venv"),
    "usr-is-merged",
)
MERGED_USR: Final = "/usr/share/mmdebstrap/hooks/merged-usr"
UNREAD: Final = ("doc", "man", "locale")


def podman(*arguments: str, timeout_s: float = 60) -> str:
    """What podman prints. Raises CalledProcessError, whose note has what it printed last."""
    done = subprocess.run(
        ("podman", *arguments), cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    try:
        done.check_returncode()
    except subprocess.CalledProcessError as error:
        error.add_note(f"{done.stdout}{done.stderr}"[-2_000:])
        raise
    return done.stdout.strip()


def engine() -> None:
    """Make sure that podman can run a container. Skips with the reason where it can't."""
    missing = [package for program, package in PACKAGES.items() if shutil.which(program) is None]
    if missing and not _installed(missing):
        pytest.skip(f"NOT TESTED: no {', '.join(missing)}, and not root on a Debian that could install them")
    try:
        podman("info")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"NOT TESTED: podman does not work here: {error.__notes__}")


def _installed(packages: list[str]) -> bool:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    install = ("apt-get", "install", "--yes", "--no-install-recommends", *packages)
    commands = (("apt-get", "update"), install)
    return all(
        subprocess.run(each, capture_output=True, timeout=BUILD_TIMEOUT_S, check=False).returncode == 0
        for each in commands
    )


def build(target: str, base: str, identifier: Path) -> str:
    """The id of the image of a stage, whose content it is the digest of. Layers that are known are not built again."""
    make_base(base)
    certificates = ("--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro") if Path(CERTIFICATES).is_dir() else ()
    where = ("--isolation", "chroot", "--network", "host", *certificates)
    what = ("--target", target, "--tag", f"turnstile-{target}:{VERSION}", "--iidfile", str(identifier))
    podman("build", "--layers", *where, *what, ".", timeout_s=BUILD_TIMEOUT_S)
    return identifier.read_text().strip()


def make_base(name: str) -> None:
    """Make an image of Debian's packages under this name, unless the engine has one."""
    if subprocess.run(("podman", "image", "exists", name), check=False).returncode == 0:
        return
    print(f"\nTHE BASE IMAGE IS NOT {name} ITSELF: made of Debian's packages instead", flush=True)
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in UNREAD]
    content = (
        "--variant=apt",
        f"--hook-dir={MERGED_USR}",
        f"--include={','.join(BASE_PACKAGES)}",
    )
    make = ("mmdebstrap", "--quiet", *content, *excluded, name.rpartition("-")[2], "-")
    with subprocess.Popen(make, stdout=subprocess.PIPE) as archive:
        take = ("podman", "import", "--change", 'CMD ["python3"]', "-", f"localhost/{name}")
        subprocess.run(take, stdin=archive.stdout, check=True, capture_output=True, timeout=BUILD_TIMEOUT_S)
    assert archive.returncode == 0, "mmdebstrap could not make the base image"


def limits() -> Mapping[str, int]:
    """Limits for a container, by ulimit's names: what a part needs, and no more than this process has."""
    wanted = {"nofile": (resource.RLIMIT_NOFILE, 20_000), "nproc": (resource.RLIMIT_NPROC, 4_096)}
    return {name: min(resource.getrlimit(number)[1], enough) for name, (number, enough) in wanted.items()}
