"""Compare the search index with PostgreSQL, row by row.

Rows that differ are compared again until they are equal or time is up: only lasting differences are reported.
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

TIMEOUT_S: Final = 30.0
PAUSE_S: Final = 1.0
PAGE_DOCUMENTS: Final = 500
REINDEX: Final = "`turnstile reindex` repairs that"
FIX_ROW: Final = "fix its row by SQL"

Json = dict[str, Any]


class Difference(NamedTuple):
    """A difference between the index and a row of ``event``, and what repairs it."""

    text: str
    repair: str = REINDEX


NOT_IN_POSTGRES: Final = Difference("is found, though PostgreSQL has no such event")


async def differences(now: Settings, timeout_s: float = TIMEOUT_S) -> dict[str, Difference]:
    """The lasting differences between index and PostgreSQL, by event id."""
    deadline = time.monotonic() + timeout_s
    async with make_elasticsearch(now) as client:
        wrong = await _compare(now, client)
        # Waiting doesn't repair a malformed row.
        while any(each.repair == REINDEX for each in wrong.values()) and time.monotonic() < deadline:
            await asyncio.sleep(PAUSE_S)
            # Only rows that differed each time: a row that changes all the time may be right.
            again = await _compare(now, client)
            wrong = {key: each for key, each in again.items() if key in wrong}
        return wrong


async def _compare(now: Settings, client: AsyncElasticsearch) -> dict[str, Difference]:
    """Merges both sides in the order of their ids, with one row of each in memory."""
    connection = await connect(now)
    wrong: dict[str, Difference] = {}
    try:
        indexed = documents(client)
        found = await anext(indexed, None)
        async for row in event_rows(connection):
            while found is not None and found["id"] < row.id:
                wrong[found["id"]] = NOT_IN_POSTGRES
                found = await anext(indexed, None)
            has = found if found is not None and found["id"] == row.id else None
            if problem := difference(row, has):
                wrong[row.id] = problem
            if has is not None:
                found = await anext(indexed, None)
        while found is not None:
            wrong[found["id"]] = NOT_IN_POSTGRES
            found = await anext(indexed, None)
    finally:
        await connection.close()
    return wrong


def difference(row: SourceRow, has: Json | None) -> Difference | None:
    """The difference between a row's document and ``has``, that of the index or None."""
    try:
        should = document(row.decode())
    except MalformedRecord as error:
        return Difference(f"can't be indexed: {error}", FIX_ROW)
    if has is None:
        return Difference("is missing")
    names = sorted(name for name in should | has if should.get(name) != has.get(name))
    return Difference(f"differs in {', '.join(names)}") if names else None


async def documents(client: AsyncElasticsearch) -> AsyncIterator[Json]:
    """All documents that can be found, in the order of their ids."""
    after: list[Any] | None = None
    query = {"term": {"deleted": False}}
    while True:
        try:
            page = await client.search(
                index=ALIAS, query=query, size=PAGE_DOCUMENTS, sort=[{"id": "asc"}], search_after=after
            )
        except NotFoundError:
            return
        hits = page["hits"]["hits"]
        for hit in hits:
            yield hit["_source"]
        if len(hits) < PAGE_DOCUMENTS:
            return
        after = hits[-1]["sort"]
