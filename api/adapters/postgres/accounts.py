"""Accounts in PostgreSQL, with their passwords and pending confirmations."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Connection
from psycopg.errors import ForeignKeyViolation, UniqueViolation
from psycopg.rows import DictRow

from api.adapters.postgres.database import Database
from api.adapters.postgres.revocations import raise_version, version_of
from api.adapters.postgres.rows import fetch, insert, page_values, shown, update
from api.ports.accounts import Accounts, ConfirmedAccount, PendingConfirmation
from api.problems import Fault, Refused
from api.schemas.account import Account
from api.schemas.pagination import InvalidRow, PagePosition
from tables.text.email_addresses import address_spellings

_NAMES: Final = tuple(Account.model_fields)
_COLUMNS: Final = ", ".join(_NAMES)
_INSERT: Final = insert("account", _NAMES)
_UPDATE: Final = update("account", _NAMES)
_SELECT: Final = f"SELECT {_COLUMNS} FROM account WHERE id = %(id)s"
_FIND: Final = f"""
SELECT {_COLUMNS} FROM account
WHERE lower(email) IN (lower(%(given)s), lower(%(normal)s))
ORDER BY lower(email) = lower(%(given)s) DESC
LIMIT 1
"""
_PAGE: Final = f"""
SELECT {_COLUMNS} FROM account
WHERE created_at BETWEEN %(first)s AND %(last)s
  AND (%(after)s::timestamptz IS NULL OR (created_at, id) < (%(after)s::timestamptz, %(id)s::uuid))
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s
"""
_SET_HASH: Final = """
INSERT INTO credential (account_id, password_hash) VALUES (%(account)s, %(password_hash)s)
ON CONFLICT (account_id) DO UPDATE SET password_hash = EXCLUDED.password_hash, changed_at = now()
"""
_ADD_CONFIRMATION: Final = """
INSERT INTO confirmation (code_hash, account_id, email, account, password_hash, sessions, link_hash, goal)
VALUES (%(code_hash)s, %(account_id)s, %(email)s, %(account)s::jsonb, %(password_hash)s, %(sessions)s,
        %(link_hash)s, %(goal)s)
"""
_DELETE_EXPIRED: Final = "DELETE FROM confirmation WHERE created_at < now() - interval '1 day'"
_END_CHANGES: Final = "DELETE FROM confirmation WHERE account_id = %(account)s AND account IS NULL"
_TAKE_CONFIRMATION: Final = """
DELETE FROM confirmation
WHERE (code_hash = %(code_hash)s OR link_hash = %(link_hash)s) AND created_at > now() - interval '1 day'
RETURNING account_id, email, account, password_hash, sessions, goal
"""
_PENDING: Final = """
SELECT code_hash, account_id, email, account, password_hash, sessions, link_hash, goal FROM confirmation
WHERE link_hash = %(link_hash)s AND created_at > now() - interval '1 day'
"""

Ended = Callable[[UUID, int], None]


class AccountRows(Accounts):
    """The tables ``account``, ``credential`` and ``confirmation``. ``ended`` gets the account whose sessions ended."""

    def __init__(self, database: Database, ended: Ended = lambda account, version: None) -> None:
        self._database = database
        self._ended = ended

    def add(self, account: Account, password_hash: str | None = None) -> Account:
        with self._database.transaction() as connection:
            _add(connection, account, password_hash)
        return account

    def get(self, account: UUID) -> Account | None:
        row = self._database.one(_SELECT, id=account)
        return shown("account", row, Account.model_validate) if row else None

    def find(self, email: str) -> Account | None:
        given, normal = address_spellings(email)
        row = self._database.one(_FIND, given=given, normal=normal)
        return shown("account", row, Account.model_validate) if row else None

    def list(self, limit: int, after: PagePosition | None) -> list[Account | InvalidRow]:
        rows = self._database.all(_PAGE, **page_values(limit, after))
        return [
            shown("account", row, Account.model_validate) or InvalidRow(row["created_at"], row["id"]) for row in rows
        ]

    def change(self, account: UUID, decide: Callable[[Account], Account]) -> Account | None:
        with self._database.transaction() as connection:
            before = locked_account(connection, account)
            if before is None:
                return None
            after = _store(connection, decide(before))
            if after.email != before.email:
                connection.execute(_END_CHANGES, {"account": account})
            ended = raise_version(connection, account) if after.roles != before.roles else None
        if ended is not None:
            self._ended(account, ended)
        return after

    def delete(self, account: UUID, check: Callable[[Account], None]) -> bool:
        with self._database.transaction() as connection:
            before = locked_account(connection, account)
            if before is None:
                return False
            check(before)
            try:
                connection.execute("DELETE FROM account WHERE id = %s", (account,))
            except ForeignKeyViolation as error:
                raise Refused("has-events") from error
            ended = raise_version(connection, account)
        self._ended(account, ended)
        return True

    def set_password(self, account: UUID, password_hash: str) -> bool:
        with self._database.transaction() as connection:
            if locked_account(connection, account) is None:
                return False
            set_hash(connection, account, password_hash)
            ended = raise_version(connection, account)
        self._ended(account, ended)
        return True

    def add_confirmation(self, pending: PendingConfirmation) -> None:
        account = pending.account.model_dump_json() if pending.account else None
        with self._database.transaction() as connection:
            connection.execute(_DELETE_EXPIRED)
            if pending.account is None and locked_account(connection, pending.account_id) is not None:
                connection.execute(_END_CHANGES, {"account": pending.account_id})
            connection.execute(
                _ADD_CONFIRMATION, asdict(pending) | {"account": account, "link_hash": pending.link_hash or None}
            )

    def pending_confirmation(self, link_hash: bytes) -> PendingConfirmation | None:
        row = self._database.one(_PENDING, link_hash=link_hash)
        if row is None:
            return None
        return PendingConfirmation(**row | {"account": Account(**row["account"]) if row["account"] else None})

    def confirm_by_code(self, code_hash: bytes, now: datetime) -> ConfirmedAccount | None:
        return self._confirm({"code_hash": code_hash, "link_hash": None}, now, None)

    def confirm_by_link(
        self, link_hash: bytes, now: datetime, password_hash: str | None = None
    ) -> ConfirmedAccount | None:
        return self._confirm({"code_hash": None, "link_hash": link_hash}, now, password_hash)

    def _confirm(
        self, key: dict[str, bytes | None], now: datetime, password_hash: str | None
    ) -> ConfirmedAccount | None:
        with self._database.transaction() as connection:
            row: Any = connection.execute(_TAKE_CONFIRMATION, key).fetchone()
            if row is None:
                return None
            if row["account"] is not None:
                account = Account(**row["account"] | {"created_at": now, "updated_at": now})
                _add(connection, account, password_hash or row["password_hash"])
                return ConfirmedAccount(account, goal=row["goal"])
            before = locked_account(connection, row["account_id"])
            if before is None or version_of(connection, before.id) != row["sessions"]:
                return None
            after = _store(connection, before.model_copy(update={"email": row["email"], "updated_at": now}))
            return ConfirmedAccount(after, before.email, row["goal"])


def _add(connection: Connection[DictRow], account: Account, password_hash: str | None) -> None:
    try:
        connection.execute(_INSERT, account.model_dump(mode="json"))
    except UniqueViolation as error:
        raise _taken(error, account) from error
    if password_hash is not None:
        set_hash(connection, account.id, password_hash)


def set_hash(connection: Connection[DictRow], account: UUID, password_hash: str) -> None:
    """Set an account's password within a transaction."""
    connection.execute(_SET_HASH, {"account": account, "password_hash": password_hash})


def locked_account(connection: Connection[DictRow], account: UUID) -> Account | None:
    """The account, locked until the end of the transaction."""
    rows = fetch(connection, f"{_SELECT} FOR UPDATE", {"id": account})
    return shown("account", rows[0], Account.model_validate) if rows else None


def _store(connection: Connection[DictRow], account: Account) -> Account:
    after = account.model_copy(update={"version": account.version + 1})
    try:
        connection.execute(_UPDATE, after.model_dump(mode="json"))
    except UniqueViolation as error:
        raise _taken(error, account) from error
    return after


def _taken(error: UniqueViolation, account: Account) -> Refused:
    if error.diag.constraint_name == "account_email":
        return Refused("email-taken", "", Fault("is in use", "/email"))
    return Refused("already-exists", f"there is an account {account.id}", Fault("is in use", "/id"))
