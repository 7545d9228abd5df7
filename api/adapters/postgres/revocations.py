"""Ended sessions, polled from PostgreSQL every two seconds, so that a token is checked without asking a server.

A row matters only for the lifetime of a token, so few are in memory. While PostgreSQL is unavailable none can be
written, and those that were read last stay true.
"""

import logging
import threading
from typing import Any, Final
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow

from api.adapters.postgres.database import SERVER, Database
from api.ports.credentials import Revocations
from api.problems import Unavailable
from telemetry.rate_limited import RateLimitedLog

POLL_EVERY_S: Final = 2.0
log = logging.getLogger(__name__)
limited_log = RateLimitedLog(log)

_LATELY: Final = "SELECT account_id, version FROM revocation WHERE at > now() - %(seconds)s * interval '1 second'"
_SELECT: Final = "SELECT version FROM revocation WHERE account_id = %(account)s"
_RAISE: Final = """
INSERT INTO revocation (account_id, version) VALUES (%(account)s, 1)
ON CONFLICT (account_id) DO UPDATE SET version = revocation.version + 1, at = now()
RETURNING version
"""


def raise_version(connection: Connection[DictRow], account: UUID) -> int:
    """End the account's sessions within a transaction; the lowest version that its tokens must have then."""
    row: Any = connection.execute(_RAISE, {"account": account}).fetchone()
    return int(row["version"])


def version_of(connection: Connection[DictRow], account: UUID) -> int:
    """The lowest version that tokens of the account must have; 0 if no session ever ended."""
    row: Any = connection.execute(_SELECT, {"account": account}).fetchone()
    return int(row["version"]) if row else 0


class RevocationRows(Revocations):
    """The table ``revocation``, for tokens that are valid for ``seconds``."""

    def __init__(self, database: Database, seconds: int, poll_every_s: float = POLL_EVERY_S) -> None:
        self._database = database
        self._poll_every_s = poll_every_s
        # Longer than a token is valid, by the possible difference of clocks.
        self._seconds = seconds + 60
        self._versions: dict[UUID, int] = {}
        self._learned: dict[UUID, int] = {}
        self._read = threading.Event()
        self._closed = threading.Event()

    def open(self) -> None:
        """Begin to poll."""
        threading.Thread(target=self._run, name="revocations", daemon=True).start()

    def close(self) -> None:
        """Stop polling."""
        self._closed.set()

    @property
    def is_known(self) -> bool:
        """Whether the rows were read."""
        return self._read.is_set()

    def version(self, account: UUID) -> int:
        """The lowest version that tokens of the account must have. Raises Unavailable before the first poll."""
        if not self.is_known:
            raise Unavailable(SERVER)
        return self._versions.get(account, 0)

    def end_sessions(self, account: UUID) -> None:
        """Revoke all tokens of the account: here at once, in other processes within POLL_EVERY_S."""
        with self._database.transaction() as connection:
            version = raise_version(connection, account)
        self.learn(account, version)

    def learn(self, account: UUID, version: int) -> None:
        """Note a row that another transaction wrote."""
        for known in (self._learned, self._versions):
            known[account] = max(version, known.get(account, 0))

    def look(self) -> None:
        """Read all rows that still matter."""
        self._learned = {}
        with self._database.transaction() as connection:
            rows = connection.execute(_LATELY, {"seconds": self._seconds}).fetchall()
        # Rows that were learned meanwhile may be missing.
        self._versions = {row["account_id"]: row["version"] for row in rows} | self._learned
        self._read.set()

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Unavailable:
                log.debug("ended sessions could not be read; the last ones stay")
            except Exception:  # noqa: BLE001 (whatever it is, it is tried again)
                limited_log.warning("read", "ended sessions could not be read; the last ones stay", exc_info=True)
            if self._closed.wait(self._poll_every_s):
                return
