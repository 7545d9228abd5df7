"""Mails of purchases: the projection ``notification``, and requests to send one again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

from api.adapters.postgres.database import Database
from api.adapters.postgres.rows import shown
from api.ports.mail import Notifications
from api.problems import retry_later
from api.schemas.notification import Notification
from tables.messages.mail_kinds import MailKind
from tables.messages.mail_requests import Resend

RESENDS_MAX: Final = 3
RESENDS_PERIOD: Final = timedelta(days=1)
_SELECT: Final = """
SELECT id, kind, status, requested_at, at FROM notification
WHERE event_id = %(event)s AND purchase_id = %(purchase)s AND kind <> %(of_organizer)s
ORDER BY coalesce(requested_at, at), id
"""
# Serializes the requests for a purchase, or two at once would both be within the limit.
_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtextextended('notification:' || %(purchase)s::text, 0))"
_LATELY: Final = """
SELECT requested_at FROM notification
WHERE event_id = %(event)s AND purchase_id = %(purchase)s AND requested_at > %(since)s ORDER BY requested_at
"""
_INSERT: Final = """
INSERT INTO notification (id, kind, status, event_id, purchase_id, account_id, requested_at, at)
VALUES (%(id)s, %(kind)s, %(status)s, %(event)s, %(purchase)s, %(account)s, %(requested_at)s, %(at)s)
"""


class NotificationRows(Notifications):
    """The table ``notification``. ``send`` writes a request to the log, or raises Unavailable."""

    def __init__(self, database: Database, send: Callable[[Resend], None]) -> None:
        self._database = database
        self._send = send

    def of(self, event: UUID, purchase: UUID) -> list[Notification]:
        """The mails of a purchase to its buyer, oldest first."""
        rows = self._database.all(_SELECT, event=event, purchase=purchase, of_organizer=MailKind.DISPUTED.value)
        return [mail for row in rows if (mail := shown("notification", row, Notification.model_validate))]

    def request(self, wanted: Notification, event: UUID, purchase: UUID, account: UUID) -> None:
        """Request another one. It counts only if the log has it. Refused: too-many-requests. Raises Unavailable."""
        values = wanted.model_dump() | {"event": event, "purchase": purchase, "account": account}
        with self._database.transaction() as connection:
            connection.execute(_ALONE, values)
            lately = connection.execute(_LATELY, values | {"since": wanted.at - RESENDS_PERIOD}).fetchall()
            if len(lately) >= RESENDS_MAX:
                wait = lately[-RESENDS_MAX]["requested_at"] + RESENDS_PERIOD - wanted.at
                detail = f"{RESENDS_MAX} times a day for each purchase"
                raise retry_later("too-many-requests", round(wait.total_seconds()), detail)
            connection.execute(_INSERT, values)
            self._send(Resend(wanted.id, event, purchase, wanted.at))
