"""``turnstile verify``: promises 1, 2, 5 and 9 checked on live data."""

import json
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Final

import rich_click as click

from ops.promises import audit_ledger, compare_index, compare_sale, look_at_slots
from ops.scratch import LedgerCopy
from ops.terminal import SHOWN_LINES_MAX, Duration, console, json_option, safe
from settings import settings

WITHIN_MAX_S: Final = 86_400.0
SALE_DIFFERS = "docs/operations.md has the repair under SaleDiffers"


@click.command(name="verify")
@click.option(
    "--within",
    type=Duration(min=0, max=WITHIN_MAX_S),
    default=30.0,
    show_default=True,
    help="Seconds for changes on their way to index and ledger.",
)
@json_option
def command(within: float, *, as_json: bool) -> None:
    """Check promises 1, 2, 5 and 9 on live data: after an incident, a restore or an upgrade. Read-only.

    1: the ledger's counters are what all purchases add up to, and no more is out than there is. 2: nobody was refused
    as sold out while there were tickets. 5: the search index is equal to PostgreSQL; the replication slots are read.
    9: the ledger sells every event as PostgreSQL has it: version, status, ticket types with prices and quantities.
    It reads the whole changelog: about 15 s of a core for a million purchases. Exit code 1 if a promise is broken.
    """
    with (
        tempfile.TemporaryDirectory(prefix="turnstile-verify-") as folder,
        closing(LedgerCopy(settings(), Path(folder))) as copy,
    ):
        copy.catch_up()
        audit = audit_ledger(copy)
        sale = compare_sale(settings(), copy, audit.selling, within)
    slots = look_at_slots(settings())
    index = compare_index(settings(), within)
    findings = [f"promise {it.promise}: event {it.event}: {it.text}" for it in audit.broken]
    findings += [f"promise 5: event {event} {it.text}; {it.repair}" for event, it in index.items()]
    findings += [f"promise 5: {problem}" for problem in slots]
    findings += [f"promise 9: {it}; {SALE_DIFFERS}" for it in sale.lasting]
    notes = [f"event {it.event}: {it.text}" for it in audit.notes]
    notes += [f"{it}: a change may be on its way, run this again" for it in sale.recent]
    if as_json:
        told = {"events": audit.events, "purchases": audit.purchases, "findings": findings, "notes": notes}
        click.echo(json.dumps(told))
    else:
        _print(findings, notes, f"{audit.events} events and {audit.purchases} purchases were looked at")
    sys.exit(bool(findings))


def _print(findings: list[str], notes: list[str], what: str) -> None:
    for line in findings[:SHOWN_LINES_MAX]:
        console.print(f"[red]broken[/] {safe(line)}")
    for line in notes[:SHOWN_LINES_MAX]:
        console.print(f"[yellow]note[/] {safe(line)}")
    console.print(f"{what}: " + (f"[red]{len(findings)} findings[/]" if findings else "[green]every promise holds[/]"))
