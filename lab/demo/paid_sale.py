"""An on-sale that is paid online, with Paper as the provider: some buyers are declined, leave, or give tickets back."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from http.client import ACCEPTED, BAD_REQUEST, CONFLICT
from typing import Any, Final
from uuid import UUID, uuid4

from lab.demo.onsale import Tick, make_buyers, settled
from lab.demo.shop import POLL_S, Shop

PRICE: Final = Decimal("24.90")
CURRENCY: Final = "EUR"
# Of the buyers; they want more, so the last ones get tickets only if others leave theirs.
STOCK_SHARE: Final = 1.1
QUANTITIES: Final = (1, 1, 2)
# What is pressed on Paper's page, one after the other, and how many of 100 buyers do so. Without any the buyer leaves.
CHOICES: Final = {("approve",): 60, ("decline", "approve"): 14, ("decline",): 8, ("lose",): 10, (): 8}
RETURNED_SHARE: Final = 0.15
ENDED: Final = frozenset({"captured", "refunded", "voided", "ended"})
STILL_RUNNING: Final = "still-running"

Json = dict[str, Any]


@dataclass(slots=True)
class PaidPurchase:
    """What a buyer wants, presses on Paper's page and gives back afterwards, and what came of it."""

    account: UUID
    quantity: int
    choices: tuple[str, ...]
    returned: int
    id: str = ""
    refused: str = ""
    declined: int = 0
    status: str = ""
    tickets: int = 0

    @property
    def worth(self) -> int:
        """What its confirmed tickets are worth, in minor units."""
        return int(100 * PRICE) * self.tickets if self.status == "confirmed" else 0


@dataclass(frozen=True, slots=True)
class PaidSale:
    """The event and its buyers."""

    event: UUID
    ticket_type: UUID
    organizer: UUID
    stock: int
    purchases: list[PaidPurchase]


async def make_sale(shop: Shop, buyers: int, seed: int) -> PaidSale:
    """An event that is paid online, known to the ledger, and what its buyers are going to do."""
    organizer, *accounts = await make_buyers(shop.target, shop.http, buyers + 1, lambda _: None)
    starts = datetime.now(UTC).replace(microsecond=0) + timedelta(days=60)
    body = {
        "organizerId": str(organizer),
        "title": f"Paid night {uuid4().hex[:6]}",
        "description": "An on-sale that is paid online, with cards that are declined and webhooks that get lost.",
        "venue": "Old Gasworks",
        "city": "Vienna",
        "country": "AT",
        "startsAt": starts.isoformat(),
        "endsAt": (starts + timedelta(hours=3)).isoformat(),
        "timeZone": "Europe/Vienna",
        "status": "ACTIVE",
        "payment": "online",
    }
    event, stock = await shop.made("/events", body), max(2, round(STOCK_SHARE * buyers))
    price = {"amount": str(PRICE), "currency": CURRENCY}
    kind = await shop.made(f"/events/{event}/tickets", {"name": "Standing", "quantity": stock, "price": price})
    await settled(shop.target, shop.http, event, 1)
    return PaidSale(event, kind, organizer, stock, purchases_of(accounts, seed))


def purchases_of(accounts: list[UUID], seed: int) -> list[PaidPurchase]:
    """What each buyer is going to do."""
    rng = random.Random(seed)
    made = []
    for account in accounts:
        quantity = rng.choice(QUANTITIES)
        [choices] = rng.choices(list(CHOICES), list(CHOICES.values()))
        returned = rng.randint(1, quantity) if rng.random() < RETURNED_SHARE else 0
        made.append(PaidPurchase(account, quantity, choices, returned))
    return made


async def sell(shop: Shop, sale: PaidSale, tick: Tick) -> None:
    """Let all buyers come at once, until each has paid, was refused or has left."""

    async def one(purchase: PaidPurchase) -> None:
        await buy(shop, sale, purchase)
        tick(1)

    await asyncio.gather(*(one(purchase) for purchase in sale.purchases))


async def buy(shop: Shop, sale: PaidSale, purchase: PaidPurchase) -> None:
    """Let a buyer hold tickets, pay as he wants, and give back what he wants; without a payment, all of them."""
    lines = [{"ticketTypeId": str(sale.ticket_type), "quantity": purchase.quantity}]
    body = {"eventId": str(sale.event), "accountId": str(purchase.account), "lines": lines}
    told = await _until(shop, _is_decided, "POST", "/purchases", purchase.account, body)
    if "type" in told:
        purchase.refused = str(told["type"]).rpartition("/")[2]
        return
    purchase.id = told["id"]
    is_paid = await _pay(shop, purchase)
    if not is_paid:
        await shop.ask("POST", f"/purchases/{purchase.id}/cancel", purchase.account)
    elif purchase.returned:
        part = {"lines": [lines[0] | {"quantity": purchase.returned}]}
        await shop.ask("POST", f"/purchases/{purchase.id}/cancel", purchase.account, part, "returned")


async def _pay(shop: Shop, purchase: PaidPurchase) -> bool:
    """Whether the buyer has paid in the end."""
    path = f"/purchases/{purchase.id}/payment"
    for choice in purchase.choices:
        told = await _until(shop, _has_page, "POST", path, purchase.account)
        if told["state"] in ENDED:
            break
        await shop.choose(told["url"], choice)
        wanted = ENDED | {"declined"} if choice == "decline" else ENDED
        told = await _until(shop, partial(_is_in, wanted), "GET", path, purchase.account)
        purchase.declined += told["state"] == "declined"
        if told["state"] in ENDED:
            return bool(told["state"] == "captured")
    return False


def _is_decided(status: int, told: Json) -> bool:
    is_running = status == CONFLICT and str(told["type"]).endswith(STILL_RUNNING)
    return status != ACCEPTED and not is_running


def _has_page(status: int, told: Json) -> bool:
    return bool(told.get("url")) or _is_in(ENDED, status, told)


def _is_in(states: frozenset[str], status: int, told: Json) -> bool:
    return status < BAD_REQUEST and told.get("state") in states


async def _until(
    shop: Shop, is_wanted: Callable[[int, Json], bool], method: str, path: str, account: UUID, body: Json | None = None
) -> Json:
    """Ask until the answer is as wanted. Raises TimeoutError with the last answer."""
    deadline = time.monotonic() + shop.settled_max_s
    while True:
        status, told = await shop.ask(method, path, account, body)
        if is_wanted(status, told):
            return told
        if time.monotonic() > deadline:
            raise TimeoutError(f"a payment does not go on: {status} {told}")
        await asyncio.sleep(POLL_S)
