"""The part of ``make demo`` that is paid online: the sale, its money, promise 10 from Paper's own books."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from aiohttp import ClientSession
from rich.console import Console
from rich.progress import Progress

from lab.demo.paid_sale import PaidSale, make_sale, sell
from lab.demo.paid_verdict import PaidVerdict, judge, money_table
from lab.demo.shop import Shop
from lab.target import Target

PaperMode = Literal["honest", "hostile"]
Paid = tuple[PaidSale, PaidVerdict]


async def sell_paid(
    target: Target, http: ClientSession, progress: Progress, buyers: int, seed: int, mode: PaperMode | None
) -> Paid | None:
    """Sell to so many buyers, while Paper behaves as ``mode`` says; None where Paper is not the provider."""
    if target.paper_key is None or not buyers:
        return None
    shop = Shop(target, http)
    async with _mode(shop, mode):
        sale = await make_sale(shop, buyers, seed)
        task = progress.add_task("paid purchases", total=buyers)
        await sell(shop, sale, lambda count: progress.advance(task, count))
        progress.add_task("money", total=None)
        return sale, await judge(shop, sale)


def show_paid(console: Console, target: Target, paid: Paid | None) -> None:
    """Print what came of it."""
    if paid is None:
        if target.paper_key is None:
            console.print("nothing was sold online: Paper is not the provider of payments here")
        return
    console.print(money_table(*paid))
    console.print(f"books: {target.paper}/", soft_wrap=True)
    console.print(f"money: {target.api}/board/payments", soft_wrap=True)


@asynccontextmanager
async def _mode(shop: Shop, mode: PaperMode | None) -> AsyncIterator[None]:
    if mode is None:
        yield
        return
    before = await shop.set_mode(mode)
    try:
        yield
    finally:
        await shop.set_mode(before)
