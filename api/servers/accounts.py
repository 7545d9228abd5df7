"""Accounts in PostgreSQL."""

from typing import Any, Final
from uuid import UUID

from psycopg.errors import UniqueViolation

from api.bodies.account import Account
from api.problems import Fault, Refused
from api.servers.database import Database

_COLUMNS: Final = "id, first_name, last_name, email, phone, birth_date, locale, roles, version, created_at, updated_at"
_INSERT: Final = f"""
INSERT INTO account ({_COLUMNS})
VALUES (%(id)s, %(first_name)s, %(last_name)s, %(email)s, %(phone)s, %(birth_date)s, %(locale)s, %(roles)s, %(version)s,
        %(created_at)s, %(updated_at)s)
"""
_INSERT_CREDENTIAL: Final = """
INSERT INTO credential (account_id, password_hash) VALUES (%(account)s, %(password_hash)s)
"""


class AccountRows:
    """The table ``account``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, account: Account, password_hash: str | None = None) -> Account:
        """Store a new account, with its password if it has one. Refused: already-exists, email-taken."""
        try:
            with self._database.transaction() as connection:
                connection.execute(_INSERT, account.model_dump(mode="json"))
                if password_hash is not None:
                    connection.execute(_INSERT_CREDENTIAL, {"account": account.id, "password_hash": password_hash})
        except UniqueViolation as error:
            raise _taken(error, account) from error
        return account

    def get(self, account: UUID) -> Account | None:
        """The account of that id."""
        row: Any = self._database.one(f"SELECT {_COLUMNS} FROM account WHERE id = %(id)s", id=account)
        return Account(**row) if row else None


def _taken(error: UniqueViolation, account: Account) -> Refused:
    if error.diag.constraint_name == "account_email":
        return Refused("email-taken", "", Fault("is in use", "/email"))
    return Refused("already-exists", f"there is an account {account.id}", Fault("is in use", "/id"))
