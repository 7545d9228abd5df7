"""Signing in: passwords, and whose sessions were ended."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from api.roles import Role


@dataclass(frozen=True, slots=True)
class Credential:
    """How an account signs in. Tokens made now have this version."""

    account: UUID
    roles: frozenset[Role]
    password_hash: str
    version: int


class Credentials(Protocol):
    """Who signs in with which password."""

    def find(self, email: str) -> Credential | None:
        """How the account of that address signs in; None where nobody can."""

    def rehash(self, known: Credential, password_hash: str) -> None:
        """Keep the same password at other costs, unless it was changed meanwhile."""


class Revocations(Protocol):
    """Whose sessions were ended."""

    def version(self, account: UUID) -> int:
        """The lowest version that tokens of the account may have. Asks no server."""

    def end_sessions(self, account: UUID) -> None:
        """Refuse every token that the account has now."""
