"""Whose sessions were ended, read again every moment, so that checking a token asks no server.

A row matters for as long as a token lives; so few are kept in memory. While PostgreSQL is away none can
be written, and the last ones read stay true.
"""

import logging
import threading
from typing import Any, Final
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow

from api.adapters.postgres.database import SERVER, Database
from api.problems import Unavailable

EVERY_S: Final = 2.0
log = logging.getLogger(__name__)

_LATELY: Final = "SELECT account_id, version FROM revocation WHERE at > now() - %(seconds)s * interval '1 second'"
_SELECT: Final = "SELECT version FROM revocation WHERE account_id = %(account)s"
_RAISE: Final = """
INSERT INTO revocation (account_id, version) VALUES (%(account)s, 1)
ON CONFLICT (account_id) DO UPDATE SET version = revocation.version + 1, at = now()
RETURNING version
"""


def raise_version(connection: Connection[DictRow], account: UUID) -> int:
    """End the account's sessions within a transaction: the version that tokens must have once it is committed."""
    row: Any = connection.execute(_RAISE, {"account": account}).fetchone()
    return int(row["version"])


def version_of(connection: Connection[DictRow], account: UUID) -> int:
    """The lowest version that tokens of the account may have, within a transaction; 0 where none ever ended."""
    row: Any = connection.execute(_SELECT, {"account": account}).fetchone()
    return int(row["version"]) if row else 0


class RevocationRows:
    """The table ``revocation``, for tokens that live ``seconds``."""

    def __init__(self, database: Database, seconds: int) -> None:
        self._database = database
        # Longer than a token lives, by what clocks may differ.
        self._seconds = seconds + 60
        self._versions: dict[UUID, int] = {}
        self._learned: dict[UUID, int] = {}
        self._read = threading.Event()
        self._closed = threading.Event()

    def open(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._run, name="revocations", daemon=True).start()

    def close(self) -> None:
        """Stop reading."""
        self._closed.set()

    @property
    def is_known(self) -> bool:
        """Whether the rows were read once."""
        return self._read.is_set()

    def version(self, account: UUID) -> int:
        """The lowest version that tokens of the account may have. Raises Unavailable before the first look."""
        if not self.is_known:
            raise Unavailable(SERVER)
        return self._versions.get(account, 0)

    def end_sessions(self, account: UUID) -> None:
        """Refuse every token that the account has now: here at once, in other instances moments later."""
        with self._database.transaction() as connection:
            version = raise_version(connection, account)
        self.learn(account, version)

    def learn(self, account: UUID, version: int) -> None:
        """Take note of a row that was written in another transaction."""
        for known in (self._learned, self._versions):
            known[account] = max(version, known.get(account, 0))

    def look(self) -> None:
        """Read all rows that still matter."""
        self._learned = {}
        with self._database.transaction() as connection:
            rows = connection.execute(_LATELY, {"seconds": self._seconds}).fetchall()
        # What was learned meanwhile may not be among the rows.
        self._versions = {row["account_id"]: row["version"] for row in rows} | self._learned
        self._read.set()

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Unavailable:
                log.debug("ended sessions could not be read; the last ones stay")
            except Exception:
                log.exception("ended sessions could not be read; the last ones stay")
            if self._closed.wait(EVERY_S):
                return
