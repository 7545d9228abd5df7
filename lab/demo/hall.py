"""``make demo HALL=1``: sells a hall of 2,000 seats to 3,000 buyers at once, draws it, and checks every promise."""

import asyncio
import sys
from collections import Counter

import psycopg
import rich_click as click
from aiohttp import ClientConnectorError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lab.bench.latency import percentile
from lab.demo.hall_drawing import drawing
from lab.demo.hall_plan import ROWS, ROWS_MIN
from lab.demo.hall_sale import HallSale, make_crowd, make_hall, requests_of, rush
from lab.demo.hall_verdict import HallVerdict, judge_hall
from lab.demo.onsale import client
from lab.target import Target, running_pipeline

BROKEN_MAX_SHOWN = 20

console = Console()


@click.command(name="hall")
@click.option("--buyers", default=3_000, show_default=True, help="How many people want seats.")
@click.option("--rows", type=click.IntRange(ROWS_MIN, ROWS), default=ROWS, show_default=True, help="Of 50 seats each.")
@click.option("--seed", default=1, show_default=True, help="Makes the same crowd again.")
def command(buyers: int, rows: int, seed: int) -> None:
    """Sell a hall seat by seat to a crowd, draw it before and after, and check every promise; needs make run."""
    target = running_pipeline()
    try:
        verdict = asyncio.run(_run(target, buyers, rows, seed))
    except ClientConnectorError:
        sys.exit(f"nothing answers at {target.api}: start the pipeline with `make run` first")
    except (ClientError, TimeoutError, RuntimeError, psycopg.OperationalError) as error:
        sys.exit(f"the demonstration could not go on: {str(error) or 'an answer did not come in time'}")
    sys.exit(1 if verdict.broken else 0)


async def _run(target: Target, buyers: int, rows: int, seed: int) -> HallVerdict:
    async with client() as http:
        with _progress() as progress:
            sale = await make_hall(target, http, rows)
            task = progress.add_task("accounts", total=buyers)
            accounts = await make_crowd(target, http, buyers, lambda count: progress.advance(task, count))
            sale.requests = requests_of(accounts, sale.sections, seed)
        console.print(f"\n[bold]before[/bold]: {sale.title}")
        console.print(drawing(sale.sections, {}))
        with _progress() as progress:
            task = progress.add_task("purchases", total=buyers)
            await rush(target, http, sale, lambda count: progress.advance(task, count))
            progress.add_task("decisions, PostgreSQL", total=None)
            verdict = await judge_hall(target, http, sale)
        console.print(f"\n[bold]after[/bold]: {sale.title}")
        console.print(drawing(sale.sections, verdict.parties))
    _show(target, sale, verdict)
    return verdict


def _progress() -> Progress:
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


def _show(target: Target, sale: HallSale, verdict: HallVerdict) -> None:
    table = Table(show_header=False)
    asked = Counter(
        "of seats that were offered instead" if request.is_second_try else "by name" if request.seats else "of the best"
        for request in sale.requests
    )
    table.add_row("purchases asked for", str(len(sale.requests)))
    for how, count in asked.items():
        table.add_row(f"  {how}", str(count))
    table.add_row("confirmed", str(verdict.confirmed))
    for reason, count in sorted(verdict.refused.items()):
        table.add_row(f"refused: {reason}", str(count))
    sold = sum(verdict.sold.values())
    table.add_row("seats sold, by the ledger's stock", f"{sold} of {sum(count for _, count in sale.types.values())}")
    table.add_row("seats of confirmed purchases", str(sum(map(len, verdict.seats.values()))))
    seconds = [1000 * second for request in sale.requests for second in request.seconds]
    if seconds:
        table.add_row("answer, p50 and p99", f"{percentile(seconds, 50):.0f} ms, {percentile(seconds, 99):.0f} ms")
    console.print(table)
    for line in verdict.broken[:BROKEN_MAX_SHOWN]:
        console.print(f"[red]broken[/red] {line}")
    if not verdict.broken:
        console.print("[green]every promise held[/green]: no seat twice, ledger and PostgreSQL agree on every seat")
    console.print(f"page: {target.api}/events/{sale.event}/seats", soft_wrap=True)
