"""``python -m streams.verify``: compare the search index with PostgreSQL, row by row.

What differs is looked at again until it is equal or time is up: only what stays different is wrong.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import psycopg
from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch, NotFoundError

from settings import Settings, settings
from streams.index import make_elasticsearch
from streams.mapping import ALIAS, document
from streams.source import connect, event_rows
from tables.errors import TurnstileError

WITHIN_S: Final = 30.0
PAUSE_S: Final = 1.0
AT_ONCE: Final = 500
SHOWN: Final = 20

Json = dict[str, Any]


async def differences(now: Settings, within: float = WITHIN_S) -> dict[str, str]:
    """By event id, how the index differs from PostgreSQL and goes on to."""
    deadline = time.monotonic() + within
    async with make_elasticsearch(now) as client:
        wrong = await _compare(now, client)
        while wrong and time.monotonic() < deadline:
            await asyncio.sleep(PAUSE_S)
            # What is different now and was before; a row that changes all the time is not wrong for that.
            again = await _compare(now, client)
            wrong = {key: text for key, text in again.items() if key in wrong}
        return wrong


async def _compare(now: Settings, client: AsyncElasticsearch) -> dict[str, str]:
    """Both sides come in the order of their ids, so only one of each is in memory."""
    connection = await connect(now)
    wrong: dict[str, str] = {}
    try:
        indexed = documents(client)
        found = await anext(indexed, None)
        async for row in event_rows(connection):
            key = str(row.id)
            while found is not None and found["id"] < key:
                wrong[found["id"]] = "is found, though PostgreSQL has no such event"
                found = await anext(indexed, None)
            if found is None or found["id"] != key:
                wrong[key] = "is missing"
                continue
            if problem := _difference(document(row), found):
                wrong[key] = problem
            found = await anext(indexed, None)
        while found is not None:
            wrong[found["id"]] = "is found, though PostgreSQL has no such event"
            found = await anext(indexed, None)
    finally:
        await connection.close()
    return wrong


def _difference(should: Json, has: Json) -> str | None:
    names = sorted(name for name in should | has if should.get(name) != has.get(name))
    return f"differs in {', '.join(names)}" if names else None


async def documents(client: AsyncElasticsearch) -> AsyncIterator[Json]:
    """Every document that can be found, in the order of the ids."""
    after: list[Any] | None = None
    query = {"term": {"deleted": False}}
    while True:
        try:
            page = await client.search(index=ALIAS, query=query, size=AT_ONCE, sort=[{"id": "asc"}], search_after=after)
        except NotFoundError:
            return
        hits = page["hits"]["hits"]
        for hit in hits:
            yield hit["_source"]
        if len(hits) < AT_ONCE:
            return
        after = hits[-1]["sort"]


def main() -> int:
    """Print what differs. Exit code 1 if anything does, 2 if that can't be told."""
    try:
        wrong = asyncio.run(differences(settings()))
    except (TurnstileError, TransportError, ApiError, psycopg.Error) as error:
        print(f"verify: {error}".rstrip(), file=sys.stderr)
        return 2
    for key, text in list(wrong.items())[:SHOWN]:
        print(f"event {key} {text}")
    print(f"verify: {len(wrong)} events differ; `make reindex` repairs that" if wrong else "verify: the index is equal")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
