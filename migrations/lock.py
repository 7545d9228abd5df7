"""The lock that lets one process migrate at a time: a PostgreSQL advisory lock, released with its session."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from migrations.errors import LockTimeout

LOCK_KEY: Final = 0x7475726E7374696C  # "turnstil"


@contextmanager
def migration_lock(url: str, *, timeout: float = 120, interval: float = 0.1) -> Iterator[None]:
    """Hold the lock. Raises LockTimeout if another process keeps it for longer than ``timeout`` seconds.

    It polls every ``interval`` seconds: a session that waits in the server would keep a snapshot open, for which the
    holder's CREATE INDEX CONCURRENTLY would wait forever.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        deadline = time.monotonic() + timeout
        while not _taken(connection):
            if time.monotonic() >= deadline:
                raise LockTimeout(f"another process has been migrating for more than {timeout:g} s")
            time.sleep(interval)
        yield


def _taken(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_KEY,)).fetchone()
    return row is not None and bool(row[0])
