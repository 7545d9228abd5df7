"""Starting a payment is an event on ``payment-events``: the role payments asks the provider, and writes the answer."""

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from api.auth.tokens import MaySee
from api.ports.ports import Ports
from api.problems import Refused
from api.schemas.payment import PurchasePayment
from api.schemas.purchase import Purchase
from api.web.wsgi_threads import look_in_thread
from tables.messages.payment_events import PaymentEvent, PaymentEventKind

# Event and purchase.
Ids = tuple[UUID, UUID]
# What a request waits for at most; afterwards the caller asks again.
WAIT_S: Final = 1.5
STARTABLE: Final = frozenset({"due", "declined"})
_OF_HOLD: Final = ("account", "amount", "currency", "ledger_offset", "deadline")
NOT_READY: Final = "the payment is not ready yet"
# Before any payment.
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
# How many of the server's threads may wait at once.
waiting_threads: Final = threading.BoundedSemaphore(16)


async def start(ports: Ports, ids: Ids, may_see: MaySee, purchase: Callable[[], Purchase]) -> PurchasePayment:
    """Start the payment of a hold, once. The payment, with the page to pay at if the provider told it in time.

    ``purchase``, which is called in a thread, gives the purchase, or refuses it as the caller may not see it.
    Refused: as ``purchase``; nothing-to-pay, still-running if the hold is too new. Unavailable: perhaps not started.
    """
    held = None if ports.payments.provider is None else ports.ledger.take_hold(*ids, may_see)
    if held is not None:
        return await _start_fresh(ports, ids, held)
    gives_up_at = time.monotonic() + WAIT_S
    known = await ports.payments.awaited(*ids, WAIT_S)
    if known is None or not may_see(known.account):
        # Whether there is somebody else's can't be told by the time that it takes.
        await asyncio.sleep(gives_up_at - time.monotonic())
        is_paid = (await look_in_thread(purchase)).payment is not None
        raise Refused("still-running", NOT_READY) if is_paid else Refused("nothing-to-pay")
    found = known.payment
    if found.state in STARTABLE:
        if ports.payments.provider is None:
            raise Refused("nothing-to-pay", "nothing is paid online here")
        await ports.payments.tell(_started(ports, ids))
        told = await ports.payments.awaited(*ids, WAIT_S, found.at)
        found = found if told is None else told.payment
    return found


async def _start_fresh(ports: Ports, ids: Ids, held: PaymentEvent) -> PurchasePayment:
    """Start the payment of a hold that the role payments may not have read yet: it gets the hold with the start."""
    started = _started(ports, ids)
    hold = {name: getattr(held, name) for name in _OF_HOLD}
    await ports.payments.tell(replace(started, **hold))
    told = await ports.payments.awaited(*ids, WAIT_S, _EVER)
    if told is None:
        told = await ports.payments.awaited(*ids, WAIT_S)
    if told is None:
        raise Refused("still-running", NOT_READY)
    return told.payment


def payment_of(ports: Ports, ids: Ids, purchase: Purchase) -> PurchasePayment:
    """In a thread: the payment of a purchase. Refused: nothing-to-pay, still-running."""
    found = ports.payments.find(*ids)
    if found is None and purchase.payment is not None:
        found = _awaited(ports, ids)
        if found is None:
            raise Refused("still-running", NOT_READY)
    if found is None:
        raise Refused("nothing-to-pay")
    return found


def _awaited(ports: Ports, ids: Ids) -> PurchasePayment | None:
    if not waiting_threads.acquire(blocking=False):
        return None
    try:
        known = ports.in_loop(ports.payments.awaited(*ids, WAIT_S))
    finally:
        waiting_threads.release()
    return None if known is None else known.payment


def _started(ports: Ports, ids: Ids) -> PaymentEvent:
    return PaymentEvent(
        id=str(ports.new_id()),
        kind=PaymentEventKind.STARTED,
        event=ids[0],
        purchase=ids[1],
        at=ports.clock(),
        provider=ports.payments.provider,
    )
