"""The agent that keeps the search index equal to PostgreSQL, however changes are repeated or reordered.

A document's external version is the change's log position (streams/search/index.py). What lies below the place that the
index was built from is in it; a replay may bring it again, perhaps without the delete that followed.
"""

from connect.topics import EVENT_ROWS
from streams.runtime.agents import add_agent
from streams.runtime.app import App
from streams.runtime.dead_letters import bury, letter, sort_out
from streams.runtime.kafka_types import Message
from streams.runtime.retry import patiently
from streams.runtime.row_changes import EventRow, decode_event
from streams.runtime.tracing import follow
from streams.search.index import PASSING, SearchIndex, Version, make_elasticsearch
from tables.errors import MalformedRecord

CONSUMER = "indexer"
MOST = 500


class IndexerAgent:
    """Writes the row changes of ``event`` to Elasticsearch, in bulk."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._index: SearchIndex | None = None
        add_agent(app, EVENT_ROWS, self._handle, name=CONSUMER, batch_max_records=MOST)

    async def _handle(self, messages: list[Message]) -> None:
        changes = [message for message in messages if message.value is not None]
        told, letters = sort_out(changes, decode_event)
        letters += [letter(message, error) for message, (_, error) in told if error is not None]
        readable = [(message, row) for message, (row, _) in told]
        for message, row in readable:
            follow(message, row.traceparent)
        newest = newest_of(readable)
        rows = {key: version for key, (_, version) in newest.items()}
        refused = await self._write(rows)
        letters += [letter(newest[key][0], error) for key, error in refused.items()]
        await bury(self.app, CONSUMER, letters)

    async def _write(self, rows: dict[str, Version]) -> dict[str, MalformedRecord]:
        """Index the rows, however long it takes; those that Elasticsearch will never take, with the reason."""

        async def attempt() -> dict[str, MalformedRecord]:
            index = self._search_index()
            floor = (await index.standing()).floor
            above = {key: each for key, each in rows.items() if each.position > floor}
            refused = await index.write(above)
            self._count(below=len(rows) - len(above), refused=len(refused), written=len(above) - len(refused))
            return refused

        return await patiently(self.app, attempt, doing="indexing", passing=PASSING) if rows else {}

    def _count(self, **results: int) -> None:
        self.app.figures.index_changes.update(results)

    def _search_index(self) -> SearchIndex:
        if self._index is None:
            self._index = SearchIndex(make_elasticsearch(self.app.settings))
        return self._index


def newest_of(changes: list[tuple[Message, EventRow]]) -> dict[str, tuple[Message, Version]]:
    """Of each row the change that lies furthest in the log, with the record that brought it."""
    newest: dict[str, tuple[Message, Version]] = {}
    for message, row in changes:
        key = str(row.id)
        if key not in newest or row.lsn >= newest[key][1].position:
            newest[key] = (message, Version(row.lsn, row))
    return newest
