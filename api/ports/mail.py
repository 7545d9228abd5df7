"""Mails: those about accounts, sent at once, and those about purchases."""

from typing import Protocol
from uuid import UUID

from api.auth.account_mails import ComposedMail
from api.schemas.notification import Notification


class AccountMailer(Protocol):
    """The mail server."""

    def __call__(self, address: str, mail: ComposedMail) -> None:
        """Send a mail. Refused: invalid-input for an address that is not taken."""


class Notifications(Protocol):
    """The mails of purchases."""

    def of(self, event: UUID, purchase: UUID) -> list[Notification]:
        """The mails of a purchase, oldest first."""

    def request(self, wanted: Notification, event: UUID, purchase: UUID, account: UUID) -> None:
        """Request another one. Refused: too-many-requests. Unavailable: it will not be sent."""
