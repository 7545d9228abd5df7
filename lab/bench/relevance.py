"""The relevance of search results: nDCG@10 over the judged queries of lab/bench/judged.toml.

The catalogue goes into an index of its own, so nothing else that is indexed counts, and then is deleted.
"""

import asyncio
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from math import log2
from pathlib import Path
from statistics import mean
from typing import Any, Final
from uuid import uuid4

import msgspec

from api.adapters.elasticsearch import EventIndex, make_client
from api.schemas.search import SearchQuery
from lab.demo_catalogue import WORDS, Json, demo_catalogue, identify
from settings import Settings
from streams.search.index import SearchIndex, make_elasticsearch
from streams.search.mapping import index_body
from tables.messages.row_changes import EventRow

JUDGED: Final = Path(__file__).with_name("judged.toml")
TOP_RESULTS: Final = 10
STALL_TIMEOUT_S: Final = 30


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query with the grades of relevant events by their id."""

    language: str
    q: str
    grades: dict[str, int]


@dataclass(frozen=True, slots=True)
class ScoredQuery:
    """A query and the score of its first ten events, from 0 to 1."""

    query: JudgedQuery
    ndcg: float


def judged(events: list[Json], path: Path = JUDGED) -> list[JudgedQuery]:
    """The queries with their rules applied to the catalogue's events."""
    queries = tomllib.loads(path.read_text("utf-8"))["query"]
    return [JudgedQuery(query["language"], query["q"], _grades(query["worth"], events)) for query in queries]


def ndcg(found: list[str], grades: dict[str, int], top: int = TOP_RESULTS) -> float:
    """The discounted cumulative gain of the found events, as a share of the best possible one."""
    best = _gain(sorted(grades.values(), reverse=True)[:top])
    return _gain([grades.get(event, 0) for event in found[:top]]) / best if best else 0.0


def measure(settings: Settings) -> list[ScoredQuery]:
    """The score of every query, on the Elasticsearch of these settings."""
    events = demo_catalogue(datetime.now(UTC)).events
    queries = judged(events)
    client = make_client(settings).options(request_timeout=STALL_TIMEOUT_S)
    try:
        with _indexed(settings, events) as name:
            index = EventIndex(client, name)
            return [ScoredQuery(query, ndcg(_found(index, query.q), query.grades)) for query in queries]
    finally:
        client.close()


def figure(measured: list[ScoredQuery]) -> float:
    """The mean of all queries: the measurement ``search.ndcg_at_10``."""
    return mean(each.ndcg for each in measured)


def by_language(measured: list[ScoredQuery]) -> dict[str, float]:
    """The mean of each language."""
    languages = sorted({each.query.language for each in measured})
    return {one: figure([each for each in measured if each.query.language == one]) for one in languages}


def row_of(event: Json) -> EventRow:
    """The PostgreSQL row of an event of the catalogue, as its change has it."""
    offers = [
        {"id": each["id"], "name": each["name"], "quantity": each["quantity"], **_price(each["price"])}
        for each in event["ticketTypes"]
    ]
    columns = {
        "__lsn": 1,
        "organizer_name": f"Turnstile Box Office ({_language(event)})",
        "starts_at": event["startsAt"],
        "ends_at": event["endsAt"],
        "time_zone": event["timeZone"],
        "organizer_id": event["organizerId"],
        "offers": msgspec.json.encode(offers).decode(),
    }
    same = ("id", "title", "description", "venue", "city", "country", "latitude", "longitude", "tags", "status")
    return msgspec.convert(columns | {name: event[name] for name in same}, EventRow)


def _price(price: Json) -> Json:
    return {"price": price["amount"], "currency": price["currency"]}


def _grades(rules: list[Json], events: list[Json]) -> dict[str, int]:
    worth = {event["id"]: max((rule["grade"] for rule in rules if _fits(rule, event)), default=0) for event in events}
    return {event: grade for event, grade in worth.items() if grade}


def _fits(rule: Json, event: Json) -> bool:
    checks: dict[str, Any] = {
        "grade": lambda _: True,
        "title": lambda value: value == event["title"],
        "tag": lambda value: value in event["tags"],
        "city": lambda value: value == event["city"],
        "venue": lambda value: value == event["venue"],
        "text": lambda value: value.casefold() in event["description"].casefold(),
        "language": lambda value: value == _language(event),
    }
    return all(checks[name](value) for name, value in rule.items())


def _language(event: Json) -> str:
    """The language of an event of the catalogue: each has one organizer."""
    return _organizers()[event["organizerId"]]


@cache
def _organizers() -> dict[str, str]:
    return {str(identify(path.stem)): path.stem for path in WORDS.glob("*.toml")}


def _gain(grades: list[int]) -> float:
    return sum((2.0**grade - 1) / log2(place + 2) for place, grade in enumerate(grades))


def _found(index: EventIndex, q: str) -> list[str]:
    return [event.id for event in index.search(SearchQuery(q=q, limit=TOP_RESULTS)).items]


@contextmanager
def _indexed(settings: Settings, events: list[Json]) -> Iterator[str]:
    """A temporary index with these events."""
    name = f"events-relevance-{uuid4().hex[:8]}"
    rows = [row_of(event) for event in events]
    asyncio.run(_fill(settings, name, {str(row.id): row for row in rows}))
    try:
        yield name
    finally:
        asyncio.run(_empty(settings, name))


async def _fill(settings: Settings, name: str, rows: dict[str, EventRow]) -> None:
    async with make_elasticsearch(settings) as client:
        await client.indices.create(index=name, **index_body(floor=0))
        refused = await SearchIndex(client).write(rows, name)
        await client.indices.refresh(index=name)
    for key, error in refused.items():
        raise ValueError(f"event {key}: {error}")


async def _empty(settings: Settings, name: str) -> None:
    async with make_elasticsearch(settings) as client:
        await client.indices.delete(index=name)
