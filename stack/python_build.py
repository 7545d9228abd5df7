"""How an interpreter was built. ``find_python.sh`` runs this file with every Python that it finds."""

import os
import sys
import sysconfig

OLDEST, NEWEST = (3, 11), (3, 13)


def profile_guided() -> bool:
    """Whether this interpreter was compiled with a profile of its own work, and takes a sixth less time for ours.

    Most builds are told so by an option of ``configure``. Debian and its relatives, known by their scheme of folders,
    tell ``make`` instead.
    """
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return "--enable-optimizations" in options or "deb_system" in sysconfig.get_scheme_names()


def build() -> str:
    """The version of this interpreter and how it was built, in words."""
    version = ".".join(map(str, sys.version_info[:3]))
    return f"{version}, built {'with' if profile_guided() else 'without'} profile-guided optimization"


def usable() -> bool:
    """Whether Turnstile's packages have wheels for this interpreter, and it can make a virtual environment."""
    try:
        import ensurepip  # noqa: PLC0415  # Debian has both in a package that need not be installed
        import venv  # noqa: F401, PLC0415
    except ImportError:
        return False
    ordinary = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
    return ordinary and OLDEST <= sys.version_info[:2] <= NEWEST and bool(ensurepip.version())


def main() -> int:
    """Print a line for ``find_python.sh``: rank, series, file, and the build in words; nothing if unusable."""
    if not usable():
        return 1
    major, minor, micro = sys.version_info[:3]
    rank = 1_000_000 * profile_guided() + 10_000 * major + 100 * minor + micro
    print(rank, f"{major}.{minor}", os.path.realpath(sys.executable), build(), sep="\t")
    return 0


if __name__ == "__main__":
    sys.exit(main())
