"""Compare the search index with PostgreSQL, row by row.

What differs is looked at again until it is equal or time is up: only what stays different is wrong.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

from elasticsearch import AsyncElasticsearch, NotFoundError

from settings import Settings
from streams.search.index import make_elasticsearch
from streams.search.mapping import ALIAS, document
from streams.search.postgres_snapshot import SourceRow, connect, event_rows
from tables.errors import MalformedRecord

WITHIN_S: Final = 30.0
PAUSE_S: Final = 1.0
AT_ONCE: Final = 500
SHOWN: Final = 20
REINDEX: Final = "`turnstile reindex` repairs that"
MEND: Final = "mend its row by SQL"

Json = dict[str, Any]


class Difference(NamedTuple):
    """How the index differs from a row of ``event``, and what repairs that."""

    text: str
    repair: str = REINDEX


GHOST: Final = Difference("is found, though PostgreSQL has no such event")


async def differences(now: Settings, within: float = WITHIN_S) -> dict[str, Difference]:
    """By event id, how the index differs from PostgreSQL and goes on to."""
    deadline = time.monotonic() + within
    async with make_elasticsearch(now) as client:
        wrong = await _compare(now, client)
        # What can't be told does not change by waiting.
        while any(each.repair == REINDEX for each in wrong.values()) and time.monotonic() < deadline:
            await asyncio.sleep(PAUSE_S)
            # What is different now and was before; a row that changes all the time is not wrong for that.
            again = await _compare(now, client)
            wrong = {key: each for key, each in again.items() if key in wrong}
        return wrong


async def _compare(now: Settings, client: AsyncElasticsearch) -> dict[str, Difference]:
    """Both sides come in the order of their ids, so only one of each is in memory."""
    connection = await connect(now)
    wrong: dict[str, Difference] = {}
    try:
        indexed = documents(client)
        found = await anext(indexed, None)
        async for row in event_rows(connection):
            while found is not None and found["id"] < row.id:
                wrong[found["id"]] = GHOST
                found = await anext(indexed, None)
            has = found if found is not None and found["id"] == row.id else None
            if problem := difference(row, has):
                wrong[row.id] = problem
            if has is not None:
                found = await anext(indexed, None)
        while found is not None:
            wrong[found["id"]] = GHOST
            found = await anext(indexed, None)
    finally:
        await connection.close()
    return wrong


def difference(row: SourceRow, has: Json | None) -> Difference | None:
    """How the document of a row differs from what the index has, which is None where it has nothing."""
    try:
        should = document(row.decode())
    except MalformedRecord as error:
        return Difference(f"can't be indexed: {error}", MEND)
    if has is None:
        return Difference("is missing")
    names = sorted(name for name in should | has if should.get(name) != has.get(name))
    return Difference(f"differs in {', '.join(names)}") if names else None


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
