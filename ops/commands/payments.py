"""``turnstile payments``: compare payments with their provider."""

import json
import sys

import rich_click as click

from ops.payments import reconcile
from ops.terminal import json_option
from settings import settings


@click.group(name="payments")
def command() -> None:
    """Look at payments, and settle those that a lost message of the provider left open."""


@command.command(name="reconcile")
@click.option("--all", "everything", is_flag=True, help="Also payments that are finished.")
@json_option
def reconcile_payments(*, everything: bool, as_json: bool) -> None:
    """Ask the provider about each unfinished payment, and print every difference.

    Its answers go to the log, so that what was lost is made good; the workers do the same by a timer. One request to
    the provider for each payment. Exit code 1 if there is a difference, 2 if the provider does not answer.
    """
    asked = differing = 0
    for payment, found in reconcile(settings(), everything=everything):
        asked += 1
        differing += bool(found)
        for each in found:
            fields = {"event": str(payment.event), "purchase": str(payment.purchase), "difference": each}
            click.echo(json.dumps(fields) if as_json else f"purchase {payment.event}.{payment.purchase}: {each}")
    if not as_json:
        click.echo(f"{asked} payments asked about, {differing} differ")
    sys.exit(differing > 0)
