"""Password hashes in PostgreSQL, by the address of the account."""

from typing import Any, Final

from api.adapters.postgres.database import Database
from api.ports.credentials import Credential, Credentials
from api.roles import Role
from tables.text.email_addresses import address_spellings

_SELECT: Final = """
SELECT account.id, account.roles, account.locale, credential.password_hash, COALESCE(revocation.version, 0) AS version
FROM account
JOIN credential ON credential.account_id = account.id
LEFT JOIN revocation ON revocation.account_id = account.id
WHERE lower(account.email) IN (lower(%(given)s), lower(%(normal)s))
ORDER BY lower(account.email) = lower(%(given)s) DESC
LIMIT 1
"""
_REHASH: Final = """
UPDATE credential SET password_hash = %(new)s WHERE account_id = %(account)s AND password_hash = %(old)s
"""


class CredentialRows(Credentials):
    """The table ``credential``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, email: str) -> Credential | None:
        given, normal = address_spellings(email)
        row: Any = self._database.one(_SELECT, given=given, normal=normal)
        if row is None:
            return None
        roles = frozenset(map(Role, row["roles"]))
        return Credential(row["id"], roles, row["password_hash"], row["version"], row["locale"])

    def rehash(self, known: Credential, password_hash: str) -> None:
        with self._database.transaction() as connection:
            values = {"account": known.account, "old": known.password_hash, "new": password_hash}
            connection.execute(_REHASH, values)
