"""Pending password resets in PostgreSQL."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow

from api.adapters.postgres.accounts import locked_account, set_hash
from api.adapters.postgres.database import Database
from api.adapters.postgres.revocations import raise_version, version_of
from api.ports.accounts import PasswordReset, PasswordResets
from api.schemas.account import Account

_KEEP: Final = """
INSERT INTO password_reset (link_hash, account_id, email, sessions)
VALUES (%(link_hash)s, %(account_id)s, %(email)s,
        COALESCE((SELECT version FROM revocation WHERE account_id = %(account_id)s), 0))
"""
_FORGET: Final = "DELETE FROM password_reset WHERE created_at < now() - interval '1 hour'"
_FIND: Final = """
SELECT account_id, email, sessions FROM password_reset
WHERE link_hash = %(link_hash)s AND created_at > now() - interval '1 hour'
"""
_TAKE: Final = "DELETE FROM password_reset WHERE link_hash = %(link_hash)s"


class PasswordResetRows(PasswordResets):
    """The table ``password_reset``. ``ended`` gets the account whose sessions ended, and their next version."""

    def __init__(self, database: Database, ended: Callable[[UUID, int], None] = lambda account, version: None) -> None:
        self._database = database
        self._ended = ended

    def keep(self, reset: PasswordReset) -> None:
        with self._database.transaction() as connection:
            connection.execute(_FORGET)
            connection.execute(_KEEP, asdict(reset))

    def find(self, link_hash: bytes) -> Account | None:
        with self._database.transaction() as connection:
            return _account_of(connection, link_hash)

    def grant(self, link_hash: bytes, password_hash: str) -> Account | None:
        with self._database.transaction() as connection:
            account = _account_of(connection, link_hash)
            taken = connection.execute(_TAKE, {"link_hash": link_hash}).rowcount
            if account is None or not taken:
                return None
            set_hash(connection, account.id, password_hash)
            version = raise_version(connection, account.id)
        self._ended(account.id, version)
        return account


def _account_of(connection: Connection[DictRow], link_hash: bytes) -> Account | None:
    """The account, locked, unless its sessions ended or its address changed since the link was mailed."""
    row: Any = connection.execute(_FIND, {"link_hash": link_hash}).fetchone()
    account = locked_account(connection, row["account_id"]) if row else None
    if account is None or account.email != row["email"] or version_of(connection, account.id) != row["sessions"]:
        return None
    return account
