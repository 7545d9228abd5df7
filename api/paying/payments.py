"""Starting a payment is an event on ``payment-events``: the role payments asks the provider, and writes the answer."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from api.auth.tokens import MaySee
from api.ports.payments import OwnedPayment
from api.ports.ports import Ports
from api.problems import Refused
from api.schemas.payment import PurchasePayment
from api.schemas.purchase import Purchase
from tables.messages.payment_events import PaymentEvent, PaymentEventKind

Found = TypeVar("Found")
# Event and purchase.
Ids = tuple[UUID, UUID]
# The pauses between the reads of one request; afterwards the caller asks again.
POLL_PAUSES_S: Final = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
STARTABLE: Final = frozenset({"due", "declined"})
NOT_READY: Final = "the payment is not ready yet"
# How many of the server's threads may wait at once.
_waiting: Final = threading.BoundedSemaphore(16)


async def start(ports: Ports, ids: Ids, may_see: MaySee, purchase: Callable[[], Purchase]) -> PurchasePayment:
    """Start the payment of a hold, once. The payment, with the page to pay at if the provider told it in time.

    ``purchase``, which is called in a thread, gives the purchase, or refuses it as the caller may not see it.
    Refused: as ``purchase``; nothing-to-pay, still-running if the hold is too new. Unavailable: perhaps not started.
    """
    look = partial(ports.payments.watched, *ids)
    known = await _awaited(look, lambda now: may_see(now.account))
    if known is None or not may_see(known.account):
        is_paid = (await asyncio.to_thread(purchase)).payment is not None
        raise Refused("still-running", NOT_READY) if is_paid else Refused("nothing-to-pay")
    found = known.payment
    if found.state in STARTABLE:
        if ports.payments.provider is None:
            raise Refused("nothing-to-pay", "nothing is paid online here")
        await ports.payments.tell(_started(ports, ids))
        told = await _awaited(look, lambda now: now.payment.at > found.at and now.payment.url is not None)
        found = found if told is None else told.payment
    return found


async def _awaited(
    look: Callable[[], Awaitable[OwnedPayment | None]], is_wanted: Callable[[OwnedPayment], bool]
) -> OwnedPayment | None:
    """What is looked at once it is as wanted, or as it is after a while."""
    found = await look()
    for pause_s in POLL_PAUSES_S:
        if found is not None and is_wanted(found):
            break
        await asyncio.sleep(pause_s)
        found = await look()
    return found


def payment_of(ports: Ports, ids: Ids, purchase: Purchase) -> PurchasePayment:
    """The payment of a purchase. Refused: nothing-to-pay, still-running."""
    found = ports.payments.find(*ids)
    if found is None and purchase.payment is not None:
        found = polled(lambda: ports.payments.find(*ids), lambda _: True, None)
        if found is None:
            raise Refused("still-running", NOT_READY)
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


def _started(ports: Ports, ids: Ids) -> PaymentEvent:
    return PaymentEvent(
        id=str(ports.new_id()),
        kind=PaymentEventKind.STARTED,
        event=ids[0],
        purchase=ids[1],
        at=ports.clock(),
        provider=ports.payments.provider,
    )
