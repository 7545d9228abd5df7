"""The verdict on a paid on-sale: promise 10 from Paper's own books, and what the organizer reads about it."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http.client import OK
from typing import Any, Final

from rich.table import Table

from api.roles import Role
from lab.demo.paid_sale import CURRENCY, PaidSale
from lab.demo.shop import Shop
from tables.messages.statuses import PurchaseStatus

Json = dict[str, Any]

POLL_S: Final = 1.0
OPEN: Final = frozenset({"open", "declined", "authorized"})
NO_BOOK: Final[Json] = {"captured": 0, "refunded": 0, "state": "none"}


@dataclass(slots=True)
class PaidVerdict:
    """The money in minor units by Paper's books, and the promises that were broken."""

    books: list[Json] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def total(self, amount: str) -> int:
        """The sum of ``captured`` or ``refunded``."""
        return sum(book[amount] for book in self.books)


async def judge(shop: Shop, sale: PaidSale) -> PaidVerdict:
    """Wait until everything has arrived, then compare. A provider that loses notices is asked at growing pauses."""
    deadline = time.monotonic() + shop.settled_max_s
    while True:
        await _look(shop, sale)
        verdict = PaidVerdict(await shop.books(sale.event))
        verdict.broken = [*broken_promises(sale, verdict.books), *await _told_to_organizer(shop, sale, verdict)]
        if not verdict.broken or time.monotonic() > deadline:
            return verdict
        await asyncio.sleep(POLL_S)


def broken_promises(sale: PaidSale, books: list[Json]) -> list[str]:
    """What is wrong with the purchases as they are known, and the books."""
    bought = [purchase for purchase in sale.purchases if purchase.id]
    worth = {purchase.id: purchase.worth for purchase in bought}
    broken = list(_differences(books, worth))
    left = [purchase.id for purchase in bought if purchase.status == PurchaseStatus.HELD]
    broken += [f"promise 10: purchase {purchase} is neither paid nor ended" for purchase in left]
    if (sold := sum(purchase.tickets for purchase in bought)) > sale.stock:
        broken.append(f"promise 1: {sold} tickets are sold of {sale.stock}")
    return broken


def _differences(books: list[Json], worth: Mapping[str, int]) -> Iterator[str]:
    """Where the books differ from what is confirmed (minor units by purchase)."""
    by_purchase = {f"{book['event']}.{book['purchase']}": book for book in books}
    for purchase in sorted(by_purchase.keys() | worth.keys()):
        book = by_purchase.get(purchase, NO_BOOK)
        kept, should = book["captured"] - book["refunded"], worth.get(purchase, 0)
        if kept != should:
            yield f"promise 10: {kept} was charged for purchase {purchase}, its tickets are worth {should}"
        if book["state"] in OPEN:
            yield f"promise 10: the payment of purchase {purchase} is still {book['state']}"


def money_table(sale: PaidSale, verdict: PaidVerdict) -> Table:
    """What came of the sale."""
    table = Table(title="paid online, by Paper's books", show_header=False, title_justify="left")
    bought = [purchase for purchase in sale.purchases if purchase.id]
    table.add_row("buyers", str(len(sale.purchases)))
    for reason, count in sorted(Counter(it.refused for it in sale.purchases if it.refused).items()):
        table.add_row(f"refused: {reason}", str(count))
    table.add_row("held until paid", str(len(bought)))
    table.add_row("payments declined", str(sum(purchase.declined for purchase in bought)))
    table.add_row("confirmed", str(sum(purchase.status == PurchaseStatus.CONFIRMED for purchase in bought)))
    table.add_row("left, or gave everything back", str(sum(not purchase.tickets for purchase in bought)))
    table.add_row("captured", _shown(verdict.total("captured")))
    table.add_row("refunded", _shown(verdict.total("refunded")))
    sold = sum(purchase.tickets for purchase in bought)
    table.add_row("kept", f"{_shown(verdict.total('captured') - verdict.total('refunded'))} for {sold} tickets")
    return table


async def _look(shop: Shop, sale: PaidSale) -> None:
    """Read what every purchase is now."""
    for purchase in sale.purchases:
        if not purchase.id:
            continue
        status, found = await shop.ask("GET", f"/purchases/{purchase.id}", purchase.account)
        if status == OK:
            purchase.status = found["status"]
            is_sold = purchase.status == PurchaseStatus.CONFIRMED
            purchase.tickets = sum(line["quantity"] for line in found["lines"]) if is_sold else 0


async def _told_to_organizer(shop: Shop, sale: PaidSale, verdict: PaidVerdict) -> list[str]:
    """What the organizer is told that differs from the books."""
    path = f"/events/{sale.event}/sales"
    _, found = await shop.ask("GET", path, sale.organizer, None, "demo-paid", Role.ORGANIZER)
    totals = (found.get("payments") or [{}])[0]
    return [
        f"promise 10: the organizer is told of {totals.get(amount)} {amount}, the books have {_shown(expected)}"
        for amount in ("captured", "refunded")
        if totals.get(amount) != _money(expected := verdict.total(amount))
    ]


def _money(minor: int) -> dict[str, str]:
    return {"amount": str(Decimal(minor).scaleb(-2)), "currency": CURRENCY}


def _shown(minor: int) -> str:
    return f"{Decimal(minor).scaleb(-2)} {CURRENCY}"
