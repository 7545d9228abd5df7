"""Starting a payment is an event on ``payment-events``: the role payments asks the provider, and writes the answer."""

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar
from uuid import UUID

from api.ports.ports import Ports
from api.problems import Refused
from api.schemas.payment import PurchasePayment
from api.schemas.purchase import Purchase
from tables.messages.payment_events import PaymentEvent, PaymentEventKind

Found = TypeVar("Found")
# The pauses between the reads of one request; afterwards the caller asks again.
POLL_PAUSES_S: Final = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
STARTABLE: Final = frozenset({"due", "declined"})
# How many of the server's threads may wait at once.
_waiting: Final = threading.BoundedSemaphore(16)


def start(ports: Ports, ids: tuple[UUID, UUID], purchase: Purchase) -> PurchasePayment:
    """Start the payment of a hold, once. The payment, with the page to pay at if the provider told it in time.

    Refused: nothing-to-pay, still-running if the hold is too new. Unavailable: not known to be started.
    """
    found = payment_of(ports, ids, purchase)
    if found.state in STARTABLE:
        if ports.payments.provider is None:
            raise Refused("nothing-to-pay", "nothing is paid online here")
        ports.payments.tell(_started(ports, ids))
        before = found.at
        told = polled(lambda: ports.payments.find(*ids), lambda now: now.at > before and now.url is not None, found)
        found = told or found
    return found


def payment_of(ports: Ports, ids: tuple[UUID, UUID], purchase: Purchase) -> PurchasePayment:
    """The payment of a purchase. Refused: nothing-to-pay, still-running."""
    found = ports.payments.find(*ids)
    if found is None and purchase.payment is not None:
        found = polled(lambda: ports.payments.find(*ids), lambda _: True, None)
        if found is None:
            raise Refused("still-running", "the payment is not ready yet")
    if found is None:
        raise Refused("nothing-to-pay")
    return found


def polled(look: Callable[[], Found | None], is_wanted: Callable[[Found], bool], found: Found | None) -> Found | None:
    """What is looked at once it is as wanted, or as it is after a while. ``found`` is what was seen a moment ago."""
    if not _waiting.acquire(blocking=False):
        return found
    try:
        for pause_s in POLL_PAUSES_S:
            if found is not None and is_wanted(found):
                break
            time.sleep(pause_s)
            found = look()
    finally:
        _waiting.release()
    return found


def _started(ports: Ports, ids: tuple[UUID, UUID]) -> PaymentEvent:
    return PaymentEvent(
        id=str(ports.new_id()),
        kind=PaymentEventKind.STARTED,
        event=ids[0],
        purchase=ids[1],
        at=ports.clock(),
        provider=ports.payments.provider,
    )
