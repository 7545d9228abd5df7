"""Credentials to sign in with, and ended sessions."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from api.roles import Role


@dataclass(frozen=True, slots=True)
class Credential:
    """An account's roles, password hash and language (BCP 47), and the version of tokens that are issued now."""

    account: UUID
    roles: frozenset[Role]
    password_hash: str
    version: int
    locale: str


class Credentials(Protocol):
    """The credentials of accounts."""

    def find(self, email: str) -> Credential | None:
        """The credential of the account of that address, in any spelling; None if there is none."""

    def rehash(self, known: Credential, password_hash: str) -> None:
        """Store a new hash of the same password, unless the password has changed."""


class Revocations(Protocol):
    """Ended sessions."""

    def version(self, account: UUID) -> int:
        """The lowest version that tokens of the account must have. Asks no server."""

    def end_sessions(self, account: UUID) -> None:
        """Revoke all tokens of the account."""
