"""``make demo``: 800 buyers at once for 500 tickets, then an on-sale that is paid online; every promise is checked."""

import asyncio
import sys

import rich_click as click
from aiohttp import ClientConnectorError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lab.demo.onsale import OnSale, client, make_buyers, make_event, requests_of, rush, settled
from lab.demo.paid import Paid, PaperMode, sell_paid, show_paid
from lab.demo.verdict import Verdict, judge
from lab.target import Target, running_pipeline

console = Console()
BROKEN_MAX_SHOWN = 20


@click.command(name="sell")
@click.option("--buyers", default=800, show_default=True, help="How many people want tickets.")
@click.option("--seed", default=1, show_default=True, help="Makes the same crowd again.")
@click.option("--paid-buyers", default=150, show_default=True, help="How many want tickets that are paid online.")
@click.option("--paper", type=click.Choice(["honest", "hostile"]), help="How Paper behaves meanwhile.")
def command(buyers: int, seed: int, paid_buyers: int, paper: PaperMode | None) -> None:
    """Sell 500 tickets to a crowd, and others that are paid online, and check every promise.

    It needs a running pipeline (make run).
    """
    target = running_pipeline()
    try:
        sale, verdict, paid = asyncio.run(_run(target, buyers, seed, paid_buyers, paper))
    except ClientConnectorError:
        sys.exit(f"nothing answers at {target.api}: start the pipeline with `make run` first")
    _show(target, sale, verdict)
    show_paid(console, target, paid)
    broken = verdict.broken + (paid[1].broken if paid else [])
    _tell(broken)
    sys.exit(1 if broken else 0)


async def _run(
    target: Target, buyers: int, seed: int, paid_buyers: int, paper: PaperMode | None
) -> tuple[OnSale, Verdict, Paid | None]:
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with client() as http:
        with Progress(*columns, console=console) as progress:
            event, title, types = await make_event(target, http)
            task = progress.add_task("accounts", total=buyers)
            accounts = await make_buyers(target, http, buyers, lambda count: progress.advance(task, count))
            sale = OnSale(event, title, types, requests_of(accounts, types, seed))
            await settled(target, http, event, len(types))
            task = progress.add_task("purchases", total=sum(request.times for request in sale.requests))
            await rush(target, http, sale, lambda count: progress.advance(task, count))
            progress.add_task("decisions, mails, index", total=None)
            verdict = await judge(target, http, sale)
            paid = await sell_paid(target, http, progress, paid_buyers, seed, paper)
    return sale, verdict, paid


def _show(target: Target, sale: OnSale, verdict: Verdict) -> None:
    seconds = sorted(second for request in sale.requests for second in request.seconds)
    table = Table(title=sale.title, show_header=False, title_justify="left")
    table.add_row("purchases asked for", str(len(sale.requests)))
    table.add_row("  of them straight to Kafka", str(sum(request.by_kafka for request in sale.requests)))
    table.add_row("  sent twice", str(sum(request.times > 1 for request in sale.requests)))
    table.add_row("confirmed", str(verdict.confirmed))
    for reason, count in sorted(verdict.refused.items()):
        table.add_row(f"refused: {reason}", str(count))
    for kind, (name, quantity) in sale.types.items():
        table.add_row(f"sold of {name}", f"{verdict.sold.get(kind, 0)} of {quantity}")
    table.add_row("mails received", str(verdict.mails))
    table.add_row("documents searchable", f"{verdict.found} of 1")
    if seconds:
        table.add_row("answer, p50 and p99", f"{_percentile(seconds, 0.5):.0f} ms, {_percentile(seconds, 0.99):.0f} ms")
    console.print(table)
    console.print(f"mails: {target.mails.removesuffix('mails.json')}", soft_wrap=True)
    console.print(f"stock: {target.worker}/api/event/{sale.event}/", soft_wrap=True)


def _tell(broken: list[str]) -> None:
    for line in broken[:BROKEN_MAX_SHOWN]:
        console.print(f"[red]broken[/red] {line}")
    if not broken:
        console.print("[green]every promise held[/green]")


def _percentile(ordered: list[float], share: float) -> float:
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]
