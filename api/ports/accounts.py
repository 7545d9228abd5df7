"""Accounts of the write model, with pending confirmations and password resets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from api.schemas.account import Account
from api.schemas.pagination import InvalidRow, Place


@dataclass(frozen=True, slots=True)
class Wish:
    """What is done once an address is confirmed with a code or a link: ``account`` made, or its address changed.

    A change was asked for in ``sessions``, the version of the account's sessions, and ends with them.
    """

    code_hash: bytes
    account_id: UUID
    email: str
    account: Account | None = None
    password_hash: str | None = None
    sessions: int = 0
    link_hash: bytes = b""
    goal: str = "/"


@dataclass(frozen=True, slots=True)
class Granted:
    """The account as a code or a link made or changed it, and the path of the pages where its reader was going.

    ``old_email`` is the address that it had before a change; None where the account was made.
    """

    account: Account
    old_email: str | None = None
    goal: str = "/"


class Accounts(Protocol):
    """The accounts of the write model."""

    def add(self, account: Account, password_hash: str | None = None) -> Account:
        """Store a new account, which can sign in if it has a password. Refused: already-exists, email-taken."""

    def get(self, account: UUID) -> Account | None:
        """The account of that id."""

    def find(self, email: str) -> Account | None:
        """The account of that address, in any spelling."""

    def list(self, limit: int, after: Place | None) -> Sequence[Account | InvalidRow]:
        """At most ``limit`` accounts, newest first, after that position."""

    def change(self, account: UUID, decide: Callable[[Account], Account]) -> Account | None:
        """Replace an account by the result of ``decide``. New roles end its sessions. Refused: email-taken."""

    def delete(self, account: UUID, check: Callable[[Account], None]) -> bool:
        """Delete an account and end its sessions; whether it existed. Refused: has-events."""

    def set_password(self, account: UUID, password_hash: str) -> bool:
        """Set an account's password and end its sessions; whether the account exists."""

    def keep(self, wish: Wish) -> None:
        """Keep a wish until its address is confirmed, for a day."""

    def grant(self, code_hash: bytes, now: datetime) -> Granted | None:
        """Grant the wish of that code, once; None if there is none, or its sessions ended. Refused: email-taken."""

    def wish(self, link_hash: bytes) -> Wish | None:
        """The wish of that link, which is not granted yet."""

    def grant_by_link(self, link_hash: bytes, now: datetime, password_hash: str | None = None) -> Granted | None:
        """Grant the wish of that link, as by its code; with this password in place of its own if one is given."""


@dataclass(frozen=True, slots=True)
class PasswordReset:
    """A mailed link to set a new password, by its hash."""

    link_hash: bytes
    account_id: UUID
    email: str


class PasswordResets(Protocol):
    """Pending password resets."""

    def keep(self, reset: PasswordReset) -> None:
        """Store it for an hour. It ends with the present sessions of the account."""

    def find(self, link_hash: bytes) -> Account | None:
        """The account of a valid link."""

    def grant(self, link_hash: bytes, password_hash: str) -> Account | None:
        """Set the password of the link's account, once, and end its sessions. None if the link is not valid."""
