"""Mails: those of accounts, sent at once, and those of purchases."""

from typing import Protocol
from uuid import UUID

from api.auth.account_mails import Mail
from api.schemas.notification import Notification


class Post(Protocol):
    """The way to a mail server."""

    def __call__(self, address: str, mail: Mail) -> None:
        """Hand over a mail. Refused: invalid-input for an address that is not taken."""


class Notifications(Protocol):
    """The mails of purchases."""

    def of(self, event: UUID, purchase: UUID) -> list[Notification]:
        """The mails of a purchase, the oldest first."""

    def request(self, wanted: Notification, event: UUID, purchase: UUID, account: UUID) -> None:
        """Ask for one more. Refused: too-many-requests. Unavailable: it will not be sent."""
