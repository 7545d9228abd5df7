"""The mails of purchases: the projection ``notification``, and the topic that asks for one more."""

import threading
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from kafka.errors import KafkaError

from api.bodies.notification import Notification
from api.problems import Refused, Unavailable
from api.servers.database import Database
from api.servers.log import GIVE_UP_S, KAFKA, make_producer, trace_headers
from api.servers.rows import fetch, shown
from connect.topics import RESENDS
from tables.resends import Resend, encode_resend

MOST: Final = 3
PERIOD: Final = timedelta(days=1)
MARGIN_S: Final = 0.5
_SELECT: Final = """
SELECT id, kind, status, requested_at, at FROM notification
WHERE event_id = %(event)s AND purchase_id = %(purchase)s ORDER BY coalesce(requested_at, at), id
"""
# Nobody else may ask for the same purchase meanwhile, or both would be within the limit.
_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtextextended('notification:' || %(purchase)s::text, 0))"
_LATELY: Final = """
SELECT requested_at FROM notification
WHERE event_id = %(event)s AND purchase_id = %(purchase)s AND requested_at > %(since)s ORDER BY requested_at
"""
_INSERT: Final = """
INSERT INTO notification (id, kind, status, event_id, purchase_id, account_id, requested_at, at)
VALUES (%(id)s, %(kind)s, %(status)s, %(event)s, %(purchase)s, %(account)s, %(requested_at)s, %(at)s)
"""


class ResendLog:
    """The producer of ``notification-requests``; connects when it is first needed."""

    def __init__(self, servers: str) -> None:
        self._servers = servers.split(",")
        self._producer: Any = None
        self._alone = threading.Lock()

    def append(self, resend: Resend) -> None:
        """Returns once the request is stored for good. Raises Unavailable."""
        try:
            key, value = str(resend.event).encode(), encode_resend(resend)
            future = self._connected().send(RESENDS, key=key, value=value, headers=trace_headers())
            future.get(GIVE_UP_S + MARGIN_S)
        except KafkaError as error:
            raise Unavailable(KAFKA) from error

    def close(self) -> None:
        """Disconnect."""
        if self._producer is not None:
            self._producer.close(timeout=2)

    def _connected(self) -> Any:
        with self._alone:
            if self._producer is None:
                self._producer = make_producer(self._servers)
            return self._producer


class NotificationRows:
    """The table ``notification``, and the way to the mailer."""

    def __init__(self, database: Database, log: ResendLog) -> None:
        self._database = database
        self._log = log

    def of(self, event: UUID, purchase: UUID) -> list[Notification]:
        """The mails of a purchase, the oldest first."""
        with self._database.transaction() as connection:
            rows = fetch(connection, _SELECT, {"event": event, "purchase": purchase})
        return [mail for row in rows if (mail := shown("notification", row, _notification))]

    def request(self, wanted: Notification, event: UUID, purchase: UUID, account: UUID) -> None:
        """Ask for one more. It counts only if the log has it. Refused: too-many-requests. Raises Unavailable."""
        values = wanted.model_dump() | {"event": event, "purchase": purchase, "account": account}
        with self._database.transaction() as connection:
            connection.execute(_ALONE, values)
            lately = connection.execute(_LATELY, values | {"since": wanted.at - PERIOD}).fetchall()
            if len(lately) >= MOST:
                wait = lately[-MOST]["requested_at"] + PERIOD - wanted.at
                headers = {"Retry-After": str(max(1, round(wait.total_seconds())))}
                raise Refused("too-many-requests", f"{MOST} times a day for each purchase", headers=headers)
            connection.execute(_INSERT, values)
            self._log.append(Resend(wanted.id, event, purchase, wanted.at))


def _notification(row: dict[str, Any]) -> Notification:
    return Notification(**row)
