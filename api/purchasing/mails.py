"""Asking for another mail of a purchase."""

from typing import Final
from uuid import UUID

from api.ports.ports import ports
from api.problems import Refused
from api.schemas.notification import Notification
from api.schemas.purchase import Purchase

# Purchases that have tickets.
SENT_AGAIN: Final = frozenset({"held", "confirmed"})


def ask_again(event: UUID, purchase: UUID, found: Purchase) -> Notification:
    """Request another mail of a purchase. Refused: nothing-to-send, too-many-requests."""
    if found.status not in SENT_AGAIN or found.account_id is None:
        raise Refused("nothing-to-send")
    wanted = Notification(
        id=ports().new_id(), kind=found.status, status="requested", requested_at=ports().clock(), at=ports().clock()
    )
    ports().notifications.request(wanted, event, purchase, found.account_id)
    return wanted
