"""``turnstile topics``: every topic with its size and its readers' lag."""

import json
from dataclasses import asdict

import rich_click as click
from rich.table import Table

from connect.client_options import client_options
from ops.part_status import size
from ops.terminal import console, json_option
from ops.topics import read_topics
from settings import settings


@click.command(name="topics")
@json_option
def command(*, as_json: bool) -> None:
    """Every topic: records, bytes, replicas, and who still has what to read. For a full disk or a lag that grows."""
    now = settings()
    states = read_topics(client_options(now), now.producer_quotas)
    if as_json:
        click.echo(json.dumps([asdict(state) for state in states]))
        return
    table = Table("topic", "partitions", "records", "on disk", "kept", "to read", box=None)
    for state in states:
        replicas = f"{state.partitions} × {state.replicas}" + (" [red]out of sync[/]" if state.out_of_sync else "")
        lags = ", ".join(f"{role} {lag}" for role, lag in state.lags.items())
        table.add_row(state.name, replicas, f"{state.records:,}", size(state.bytes), state.kept, lags)
    console.print(table)
