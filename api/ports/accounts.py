"""Accounts of the write model, with pending confirmations and password resets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from api.schemas.account import Account
from api.schemas.pagination import InvalidRow, PagePosition

CONFIRMATION_VALID_FOR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PendingConfirmation:
    """What a confirmed address leads to: ``account`` is created, or the account's address changes.

    A change was requested in ``sessions``, the version of the account's sessions, and ends with them.
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
class ConfirmedAccount:
    """The account that was created or changed, and the path to return to.

    ``old_email`` is the address before a change; None if the account was created.
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

    def list(self, limit: int, after: PagePosition | None) -> Sequence[Account | InvalidRow]:
        """At most ``limit`` accounts, newest first, after that position."""

    def change(self, account: UUID, decide: Callable[[Account], Account]) -> Account | None:
        """Replace an account by the result of ``decide``. Refused: email-taken.

        New roles end its sessions, and a new address ends a pending change of the address.
        """

    def delete(self, account: UUID, check: Callable[[Account], None]) -> bool:
        """Delete an account and end its sessions; whether it existed. Refused: has-events."""

    def set_password(self, account: UUID, password_hash: str) -> bool:
        """Set an account's password and end its sessions; whether the account exists."""

    def add_confirmation(self, pending: PendingConfirmation) -> None:
        """Store it for CONFIRMATION_VALID_FOR. A change of address ends an earlier one."""

    def confirm_by_code(self, code_hash: bytes, now: datetime) -> ConfirmedAccount | None:
        """Confirm by a code, once; None if it is invalid, or its sessions ended. Refused: email-taken."""

    def pending_confirmation(self, link_hash: bytes) -> PendingConfirmation | None:
        """The pending confirmation of that link."""

    def confirm_by_link(
        self, link_hash: bytes, now: datetime, password_hash: str | None = None
    ) -> ConfirmedAccount | None:
        """Confirm by a link, as by its code; with this password instead of the stored one if given."""


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
