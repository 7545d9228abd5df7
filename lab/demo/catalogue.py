"""``python -m lab.demo catalogue``: load the demonstration catalogue over REST, and wait until all of it is found.

It may be run any number of times: what is there already is left as it is.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lab.demo_catalogue import DemoCatalogue, Json, demo_catalogue
from lab.target import Target, running_pipeline

CONCURRENT_REQUESTS_MAX: Final = 8
TIMEOUT_S: Final = 60.0
# The stack loads the catalogue once the search is ready, or is down: then there is nothing to wait for.
SEARCH_TIMEOUT_S: Final = 10.0
PAUSE_S: Final = 0.25
PAGE_EVENTS: Final = 100
MADE, THERE_ALREADY, UNAVAILABLE = 201, 409, 503

Tick = Callable[[int], object]


class NotLoaded(Exception):
    """The API refused a request or did not answer in time; the message names it."""


async def load(client: httpx.AsyncClient, everything: DemoCatalogue, tick: Tick) -> None:
    """Make the accounts, then the events with their ticket types, a few at a time."""
    for organizer in everything.organizers:
        await make(client, "/accounts", organizer)
    places = asyncio.Semaphore(CONCURRENT_REQUESTS_MAX)

    async def in_turn(event: Json) -> None:
        async with places:
            await make(client, "/events", event)
            tick(1)

    async with asyncio.TaskGroup() as group:
        for event in everything.events:
            group.create_task(in_turn(event))


async def make(client: httpx.AsyncClient, path: str, body: Json) -> None:
    """Make an account or event, unless it exists."""
    answer = await send(client, "POST", path, json=body)
    if answer.status_code not in (MADE, THERE_ALREADY):
        raise NotLoaded(f"POST {path} was answered {answer.status_code}: {answer.text}")


async def send(
    client: httpx.AsyncClient, method: str, path: str, timeout_s: float = TIMEOUT_S, **more: Any
) -> httpx.Response:
    """Send a request, repeatedly while servers are still starting; the answer. Raises NotLoaded."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            answer = await client.request(method, path, **more)
        except httpx.TransportError as error:
            reason = repr(error)
        else:
            if answer.status_code != UNAVAILABLE:
                return answer
            reason = answer.text
        if time.monotonic() > deadline:
            raise NotLoaded(f"{method} {path} was not served within {timeout_s:g} s: {reason}")
        await asyncio.sleep(PAUSE_S)


async def wait_until_found(client: httpx.AsyncClient, ids: set[str], tick: Tick) -> None:
    """Wait until the search finds all these events."""
    deadline = time.monotonic() + TIMEOUT_S
    missing = set(ids)
    while missing:
        found = missing & await found_ids(client)
        missing -= found
        tick(len(found))
        if missing and time.monotonic() > deadline:
            raise NotLoaded(f"{len(missing)} of {len(ids)} events could not be found within {TIMEOUT_S:g} s")
        if missing:
            await asyncio.sleep(PAUSE_S)


async def found_ids(client: httpx.AsyncClient) -> set[str]:
    """The ids of all events that the search finds."""
    ids: set[str] = set()
    cursor: str | None = None
    while True:
        page: dict[str, str | int] = {"limit": PAGE_EVENTS} | ({"cursor": cursor} if cursor else {})
        found = (await send(client, "GET", "/events/search", SEARCH_TIMEOUT_S, params=page)).json()
        ids.update(event["id"] for event in found["items"])
        cursor = found.get("next")
        if cursor is None:
            return ids


async def run(target: Target, console: Console) -> None:
    """Load everything and wait until it is found, with a progress bar for each."""
    everything = demo_catalogue(datetime.now(UTC))
    limits = httpx.Limits(max_connections=CONCURRENT_REQUESTS_MAX)
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    base, headers = f"{target.api}/api/v3", target.administrator()
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=10, limits=limits, trust_env=False) as client:
        with Progress(*columns, console=console) as progress:
            total = len(everything.events)
            loading = progress.add_task("events loaded", total=total)
            finding = progress.add_task("events searchable", total=total)
            await load(client, everything, lambda count: progress.advance(loading, count))
            ids = {event["id"] for event in everything.events}
            await wait_until_found(client, ids, lambda count: progress.advance(finding, count))
    tickets = sum(len(event["ticketTypes"]) for event in everything.events)
    console.print(f"{total} events with {tickets} ticket types are on sale and can be found")


@click.command(name="catalogue")
def command() -> None:
    """Load the demonstration catalogue over REST, and wait until all of it is found. Any number of times.

    Exit code 1 with one line that says what is wrong.
    """
    failures: list[BaseException] = []
    try:
        asyncio.run(run(running_pipeline(), Console()))
    except* NotLoaded as group:
        failures.extend(group.exceptions)
    if failures:
        sys.exit(f"catalogue: {failures[0]}")
