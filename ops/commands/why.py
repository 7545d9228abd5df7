"""``turnstile why``: the life of a purchase, and the rule and the figures behind each decision."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import rich_click as click

from ops.as_of import as_of_option
from ops.history import RecordedDecision, event_of, life_of, open_past, stock_text
from ops.terminal import console, json_option, safe
from settings import settings
from streams.inventory.snapshots import oldest
from tables.ledger.as_of import AsOf
from tables.ledger.views import purchase_view
from tables.messages.commands import LimitHolds


@click.command(name="why")
@click.argument("purchase", type=click.UUID)
@click.option("--event", type=click.UUID, help="Its event, if it is known: then only one partition is read.")
@as_of_option
@json_option
def command(purchase: UUID, event: UUID | None, as_of: AsOf, *, as_json: bool) -> None:
    """Print each decision on PURCHASE: the command, the rule that decided it, and the stock and limits that it met.

    Read-only; it decides the commands of the event again from the log. About 100 s of a core for a million
    commands of the event, 20 s for a million others; without --event it reads all of them. If the log no longer has its
    beginning, it begins at the oldest snapshot that the log continues; of a decision before that it knows neither stock
    nor limits. Exit code 1 if there is no such purchase, 2 if neither the log nor a snapshot reaches back.
    """
    home = event or event_of(settings(), purchase)
    if home is None:
        sys.exit("the log has no such purchase")
    with open_past(settings(), home, as_of, oldest) as (_, log, replay):
        steps = list(life_of(purchase, log, replay))
        record = replay.purchase(purchase)
    if not steps:
        sys.exit("the log has no such purchase at that moment")
    state = None if record is None else purchase_view(home, purchase, record)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins({"event": home, "steps": steps, "purchase": state})))
        return
    for line in _lines(steps):
        console.print(safe(line))
    console.print(safe(f"event {home}: " + ("no purchase was made" if state is None else f"it is {state.status}")))


def _lines(steps: list[RecordedDecision]) -> Iterator[str]:
    for step in steps:
        time = datetime.fromtimestamp(step.at / 1000, UTC).isoformat(" ", "milliseconds")
        reason = f" ({step.reason})" if step.reason else ""
        command = "from before the snapshot" if step.command is None else step.command
        yield f"offset {step.offset} {time}: {command} -> {step.outcome}{reason}"
        yield f"  rule: {step.rule}"
        if step.figures:
            yield f"  figures: {_told(step.figures)}"
        for kind in step.stock.ticket_types if step.stock else ():
            yield f"  stock: {kind.name} ({kind.ticket_type}): {stock_text(kind)}"
        if step.account:
            yield f"  account: {step.account.total} tickets, {step.account.held} of them held"
        if step.hold_limits:
            yield f"  limits: {_told(_limits(step)) or 'none'}"


def _limits(step: RecordedDecision) -> dict[str, Any]:
    """The limits in force, by name; those of a ticket type with its name."""
    holds = {f"holds {name}": value for name, value in _fields(step.hold_limits).items()}
    if step.limits is None:
        return _known(holds)
    event = {name: getattr(step.limits, name) for name in ("capacity", "max_per_order", "max_per_account")}
    types = {
        f"{each.name} {name}": getattr(each, name)
        for each in step.limits.ticket_types
        for name in ("max_per_order", "max_per_account", "sale_starts_at", "sale_ends_at")
    }
    return _known(event | types | holds)


def _fields(limits: LimitHolds | None) -> dict[str, Any]:
    return {} if limits is None else msgspec.structs.asdict(limits)


def _known(limits: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("_", " "): value for name, value in limits.items() if value is not None}


def _told(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
