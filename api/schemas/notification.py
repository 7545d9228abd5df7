"""Notifications: the mails of a purchase."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas.fields import Resource


class Notification(Resource):
    """A mail: `requested` until it is `sent`, or `failed` because it can't be. Whose address it went to is not told."""

    id: UUID
    kind: str = Field(examples=["confirmed"])
    status: str = Field(examples=["sent"])
    requested_at: datetime | None = Field(None, description="only of a mail that was asked for again")
    at: datetime = Field(description="when it came to its status")


class NotificationList(Resource):
    """The mails of a purchase, the oldest first."""

    items: list[Notification]
