"""Applies steps, each exactly once: a step and the mark that it was applied are one transaction.

yoyo reads and runs the steps. Its own lock and its own apply are not used: the lock outlives a killed process, and the
mark is set after the step's commit, so a crash between them repeats the step.
"""

import logging
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from psycopg.errors import Diagnostic
from yoyo import get_backend, read_migrations

from migrations.errors import EditedMigration, MigrationError
from migrations.lock import migration_lock
from migrations.steps import FOLDER, MigrationStep, read_steps

log = logging.getLogger(__name__)

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
