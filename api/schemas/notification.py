"""The mails of a purchase."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas.base import Resource


class Notification(Resource):
    """A mail: `requested`, then `sent` or `failed`. Its address is not shown."""

    id: UUID
    kind: str = Field(examples=["confirmed"])
    status: str = Field(examples=["sent"])
    requested_at: datetime | None = Field(None, description="only of a mail that was requested again")
    at: datetime = Field(description="when it got its status")


class NotificationList(Resource):
    """The mails of a purchase, the oldest first."""

    items: list[Notification]
