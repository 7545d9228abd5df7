"""Backup and restore of the embedded PostgreSQL, with its own programs; sets of backups are stack/backup_sets.py.

A restored server's log begins where no log of ours has been yet (connect/wal_position.py). What follows from a restore
is done by ops/restored.py.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from connect.folder_lock import locked
from connect.wal_position import segment
from stack.apps import ROOT
from stack.embedded import Stack
from stack.errors import RestoreRefused
from stack.postgres import SUPERUSER, Postgres

BEFORE: Final = "data.before-restore"
DRAFT: Final = "data.unfinished-restore"
NEEDED: Final = ("kafka", "connect", "elasticsearch")
HOLDER: Final = "sales-0"
IDENTIFIER: Final = r'(?:"(?:[^"]|"")+"|\w+)'
TABLE: Final = rf"{IDENTIFIER}(?:\.{IDENTIFIER})?"
ROLE_NAMES: Final = rf"({IDENTIFIER}(?:, {IDENTIFIER})*)"
# The statements that name roles, as pg_dump writes them: each in a line, of a policy the first one.
ROLE_STATEMENTS: Final = tuple(
    re.compile(f"^{statement}", re.MULTILINE)
    for statement in (
        rf"(?:GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) .* (?:TO|FROM) {ROLE_NAMES}(?: WITH GRANT OPTION)?;$",
        rf"ALTER DEFAULT PRIVILEGES FOR ROLE {ROLE_NAMES} ",
        rf"ALTER .* OWNER TO {ROLE_NAMES};$",
        rf"SET SESSION AUTHORIZATION {ROLE_NAMES};$",
        rf"CREATE POLICY {IDENTIFIER} ON {TABLE}(?: AS RESTRICTIVE)?(?: FOR [A-Z]+)? TO {ROLE_NAMES}",
        rf"CREATE USER MAPPING FOR {ROLE_NAMES} ",
    )
)


def backup(stack: Stack, file: Path) -> None:
    """Write the database of the running stack to ``file``, as of one moment. The file has everybody's data.

    Raises RestoreRefused, and BlockingIOError while another one is written into the same folder.
    """
    server = _server(stack)
    partial = file.with_name(f"{file.name}.partial")
    with locked(file.parent):
        # What a killed one has left.
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600, exist_ok=False)
        try:
            _run(server, "pg_dump", "--format=custom", f"--file={partial}", server.url(SUPERUSER))
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)


def restore(stack: Stack, file: Path) -> None:
    """Restore the database from ``file``, and bring the rest in step. Servers that this needs are started.

    The former data folder is kept beside the new one. Raises RestoreRefused, and changes nothing, for a file that is no
    whole backup, and while a worker runs whose offsets are to be reset.
    """
    stack.open()
    if HOLDER in stack.pids:
        raise RestoreRefused(f"stop {HOLDER} first")
    check_dump(stack, file)
    restore_database(stack, file)
    stack.start("migrations", *(name for name in NEEDED if name not in stack.pids))
    operate(stack, "restored")
    stack.start("connectors")


def check_dump(stack: Stack, file: Path) -> None:
    """Read the whole of ``file``. Raises RestoreRefused for what is no backup, is cut off, or has a wrong checksum."""
    _run(_server(stack), "pg_restore", f"--file={os.devnull}", str(file))


def restore_database(stack: Stack, file: Path) -> None:
    """Make a new server of the database in ``file``, and start it.

    It is made beside the former data, which stay where they are until it is complete: also if this is killed. Raises
    RestoreRefused; then no server runs on them.
    """
    server = _server(stack)
    stack.stop("postgres")
    with _draft(stack, server) as draft:
        stack.prepare("postgres")
        # What would tell the next start that making it was broken off.
        server.password_file.unlink()
        begins = segment(datetime.now(UTC))
        _run(server, "pg_resetwal", "-l", begins, "-D", str(draft), user=server.place.user)
        stack.start("postgres")
        _make_roles(server, file)
        target = f"--dbname={server.url(SUPERUSER)}"
        _run(server, "pg_restore", "--exit-on-error", "--single-transaction", target, str(file))
    _put_aside(server.data)
    draft.rename(server.data)
    stack.start("postgres")


def operate(stack: Stack, *arguments: str, **more: str) -> None:
    """Run the operator's command on the stack. Raises RestoreRefused where it fails; what it says is printed."""
    command = (sys.executable, "-m", "ops", *arguments)
    done = subprocess.run(command, env={**os.environ, **stack.environment, **more}, cwd=ROOT, check=False)
    if done.returncode:
        raise RestoreRefused(f"`./turnstile {' '.join(arguments)}` failed, and what was to follow from it is left")


@contextmanager
def _draft(stack: Stack, server: Postgres) -> Iterator[Path]:
    """A data folder beside the server's own, with which the server is started meanwhile."""
    own = server.data
    server.data = own.with_name(DRAFT)
    shutil.rmtree(server.data, ignore_errors=True)
    try:
        yield server.data
    finally:
        try:
            stack.stop("postgres")
        finally:
            server.data = own


def _make_roles(server: Postgres, file: Path) -> None:
    """Make the roles that the dump names and that ``make run`` doesn't make: they have their rights, and no login.

    A dump has no roles itself, and can't be restored without them. Raises RestoreRefused.
    """
    named = roles_of(_run(server, "pg_restore", "--schema-only", "--file=-", str(file)))
    try:
        with psycopg.connect(server.url(SUPERUSER), autocommit=True) as connection:
            for name in sorted(named):
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone():
                    connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise RestoreRefused(f"the roles of the dump can't be made: {error}") from error


def roles_of(script: str) -> set[str]:
    """The roles that a dump's statements name."""
    lists = [names for statement in ROLE_STATEMENTS for names in statement.findall(script)]
    named = {name for names in lists for name in re.findall(IDENTIFIER, names)} - {"PUBLIC", "public"}
    return {name[1:-1].replace('""', '"') if name.startswith('"') else name for name in named}


def _put_aside(data: Path) -> None:
    if data.exists():
        before = data.with_name(BEFORE)
        shutil.rmtree(before, ignore_errors=True)
        data.rename(before)


def _server(stack: Stack) -> Postgres:
    server = stack.members["postgres"]
    assert isinstance(server, Postgres)
    return server


def _run(server: Postgres, program: str, *arguments: str, user: int | None = None) -> str:
    """Run a program of PostgreSQL, as ourselves or another user; its output. Raises RestoreRefused with its error."""
    server.place.install()
    command = (str(server.place.programs / program), *arguments)
    groups = None if user is None else ()
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, user=user, group=user, extra_groups=groups
    )
    if done.returncode:
        said = done.stderr.strip().removeprefix(f"{program}: ")
        raise RestoreRefused(f"{program}: {said}")
    return done.stdout
