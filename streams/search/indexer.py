"""The agent that updates the search index from row changes, which may be repeated or reordered.

A document's external version is its row's (streams/search/index.py). Changes up to the WAL position from which the
index was built are in it: a replayed one is skipped, since the deletion that followed may not be replayed.
"""

from connect.topics import EVENT_ROWS
from streams.runtime.app import App
from streams.runtime.failures import dead_letter, decode_batch, with_retries
from streams.runtime.kafka_types import Message
from streams.runtime.produce import send_to_dead_letters
from streams.runtime.record_context import continue_trace
from streams.search.index import TRANSIENT, SearchIndex, make_elasticsearch
from tables.errors import MalformedRecord
from tables.messages.row_changes import EventRow, decode_event

CONSUMER = "indexer"
BATCH_MAX_RECORDS = 500


class IndexerAgent:
    """Writes the row changes of ``event`` to Elasticsearch, in bulk."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._index: SearchIndex | None = None
        app.add_agent(EVENT_ROWS, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    async def _handle(self, messages: list[Message]) -> None:
        changes = [message for message in messages if message.value is not None]
        decoded, dead_letters = decode_batch(changes, decode_event)
        dead_letters += [dead_letter(message, error) for message, (_, error) in decoded if error is not None]
        changed = [(message, row) for message, (row, _) in decoded]
        for message, row in changed:
            continue_trace(message, row.traceparent)
        newest = newest_of(changed)
        refused = await self._write({key: row for key, (_, row) in newest.items()})
        dead_letters += [dead_letter(newest[key][0], error) for key, error in refused.items()]
        await send_to_dead_letters(self.app, CONSUMER, dead_letters)

    async def _write(self, rows: dict[str, EventRow]) -> dict[str, MalformedRecord]:
        """Index the rows, however long Elasticsearch is unavailable. Gives the rejected ones, with the reason."""

        async def attempt() -> dict[str, MalformedRecord]:
            index = self._search_index()
            floor = (await index.current()).floor
            above = {key: each for key, each in rows.items() if each.lsn > floor}
            refused = await index.write(above)
            self._count(below=len(rows) - len(above), refused=len(refused), written=len(above) - len(refused))
            return refused

        return await with_retries(self.app, attempt, doing="indexing", transient=TRANSIENT) if rows else {}

    def _count(self, **results: int) -> None:
        self.app.counters.index_changes.update(results)

    def _search_index(self) -> SearchIndex:
        if self._index is None:
            self._index = SearchIndex(make_elasticsearch(self.app.settings))
        return self._index


def newest_of(changes: list[tuple[Message, EventRow]]) -> dict[str, tuple[Message, EventRow]]:
    """The newest change of each row, with its record."""
    newest: dict[str, tuple[Message, EventRow]] = {}
    for message, row in changes:
        key = str(row.id)
        if key not in newest or row.version >= newest[key][1].version:
            newest[key] = (message, row)
    return newest
