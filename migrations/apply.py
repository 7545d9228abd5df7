"""Applies the steps on disk, each exactly once: a step and the mark that it was applied are one transaction.

yoyo reads and runs the steps. Its own lock and its own apply are not used: the lock outlives a killed process, and the
mark is set after the step's commit, so a crash between them repeats the step.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.errors import Diagnostic
from yoyo import get_backend, read_migrations

from migrations.errors import EditedMigration, LockTimeout, MigrationError, UnreadableStep, WrongEncoding

log = logging.getLogger(__name__)

FOLDER: Final = Path(__file__).with_name("steps")
LOCK_KEY: Final = 0x7475726E7374696C  # "turnstil"
_NAME: Final = re.compile(r"\d{4}_[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """A step's name without its suffix, and the SHA-256 of ``NNNN_name.sql`` and ``NNNN_name.rollback.sql``."""

    id: str
    checksum: str


def read_steps(folder: Path = FOLDER) -> list[MigrationStep]:
    """All steps in order. Raises UnreadableStep for a misnamed file or a step without rollback."""
    forward = [path for path in sorted(folder.glob("*.sql")) if not path.name.endswith(".rollback.sql")]
    return [_read(path) for path in forward]


def _read(path: Path) -> MigrationStep:
    if not _NAME.fullmatch(path.stem):
        raise UnreadableStep(f"{path.name}: a step is named NNNN_name.sql")
    back = path.with_name(f"{path.stem}.rollback.sql")
    if not back.exists():
        raise UnreadableStep(f"{path.name}: {back.name} is missing")
    return MigrationStep(path.stem, sha256(path.read_bytes() + b"\0" + back.read_bytes()).hexdigest())


@contextmanager
def migration_lock(url: str, *, timeout: float = 120, interval: float = 0.1) -> Iterator[None]:
    """Hold the lock that lets one process migrate at a time, which PostgreSQL releases with its session.

    Raises WrongEncoding, and LockTimeout if another process keeps it for longer than ``timeout`` seconds. It polls
    every ``interval`` seconds: a session that waits in the server would keep a snapshot open, for which the holder's
    CREATE INDEX CONCURRENTLY would wait forever.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        _check_encoding(connection)
        deadline = time.monotonic() + timeout
        while not _taken(connection):
            if time.monotonic() >= deadline:
                raise LockTimeout(f"another process has been migrating for more than {timeout:g} s")
            time.sleep(interval)
        yield


def _check_encoding(connection: psycopg.Connection) -> None:
    """Raise WrongEncoding if it is not UTF8: a name is stored as something else, without an error.

    A database that has steps already is only warned of: its deployment goes on as it was.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding == "UTF8":
        return
    wrong = f"the encoding of the database is {encoding}: make one with ENCODING 'UTF8' (docs/deployment.md)"
    if connection.execute("SELECT to_regclass('migration_checksum') IS NULL").fetchone() == (True,):
        raise WrongEncoding(wrong)
    log.warning("%s", wrong)


def _taken(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_KEY,)).fetchone()
    return row is not None and bool(row[0])


_CHECKSUMS = """
CREATE TABLE IF NOT EXISTS migration_checksum (
    migration_id text PRIMARY KEY,
    sha256       text NOT NULL
)
"""


def apply_steps(url: str, cdc_role: str, folder: Path = FOLDER) -> list[str]:
    """Bring the database at ``url`` up to date and return the ids of the applied steps.

    Raises EditedMigration, before anything is changed, if an applied step was edited since.
    """
    steps = {step.id: step for step in read_steps(folder)}
    with migration_lock(url):
        backend = open_backend(url, cdc_role)
        with backend:
            _check(backend, steps)
            waiting = backend.to_apply(read_migrations(str(folder)))
            for migration in waiting:
                _apply(backend, migration, steps[migration.id])
            return [migration.id for migration in waiting]


def open_backend(url: str, cdc_role: str) -> Any:
    """yoyo's connection. Call it under the migration lock: a row in yoyo's own lock is then of a dead process."""
    backend = get_backend(_yoyo_url(url, cdc_role))
    backend.connection.add_notice_handler(_log_notice)
    backend.break_lock()
    backend.ensure_internal_schema_updated()
    backend.execute(_CHECKSUMS)
    return backend


def _log_notice(notice: Diagnostic) -> None:
    """Log a step's notice; its warnings are for the operator."""
    level = logging.WARNING if notice.severity_nonlocalized == "WARNING" else logging.DEBUG
    log.log(level, "%s", notice.message_primary)


def _yoyo_url(url: str, cdc_role: str) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    options = f"{query.get('options', '')} -c turnstile.cdc_role={cdc_role} -c lock_timeout=30s".strip()
    return urlunsplit(parts._replace(scheme="postgresql+psycopg", query=urlencode(query | {"options": options})))


def _check(backend: Any, steps: dict[str, MigrationStep]) -> None:
    for name, checksum in backend.execute("SELECT migration_id, sha256 FROM migration_checksum").fetchall():
        if name not in steps:
            log.warning("step %s is applied but unknown here: the database is newer than this code", name)
        elif steps[name].checksum != checksum:
            raise EditedMigration(f"{name}.sql or its rollback was edited after it had been applied; add a new step")


def _apply(backend: Any, migration: Any, step: MigrationStep) -> None:
    migration.load()
    if not migration.use_transactions:
        raise MigrationError(f"{step.id}.sql: a step must run in a transaction")
    with backend.transaction():
        migration.process_steps(backend, "apply")
        backend.mark_one(migration, log=False)
        mark = "INSERT INTO migration_checksum VALUES (:id, :sha256)"
        backend.execute(mark, {"id": step.id, "sha256": step.checksum})
    log.info("applied %s", step.id)
