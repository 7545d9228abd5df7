"""The numbers of the ids of the accounts that exist, from their captured rows.

Each worker of the gate reads all partitions: the accounts of its requests may be in any of them. An id takes about 100
bytes of memory.
"""

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Final
from uuid import UUID

from connect.client_options import client_options
from connect.topics import ACCOUNT_ROWS
from streams.runtime.app import App
from streams.runtime.timer import add_timer
from streams.runtime.topic_reader import TopicReader, reading_topic
from tables.errors import MalformedRecord
from tables.messages.row_changes import RowChange, decode_row

POLL_MAX_RECORDS: Final = 5_000
INTERVAL_S: Final = 0.2


class KnownAccounts:
    """Is complete up to the end of the log before the first request is handled, and a second behind it then."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._ids: set[int] = set()
        self._begins: dict[int, int] = {}
        self._lock = asyncio.Lock()
        app.before_agents.append(self.read)
        add_timer(app, self._follow, name="reading accounts", interval_s=INTERVAL_S)

    def has(self, account: UUID) -> bool:
        """Whether the account exists."""
        return account.int in self._ids

    def apply(self, values: Iterable[bytes | None]) -> None:
        """Take row changes in their order. What can't be decoded is left to the dead letters of ``contacts``."""
        for value in values:
            try:
                row = decode_row(value, RowChange)
            except MalformedRecord:
                continue
            if row.is_delete:
                self._ids.discard(row.id.int)
            else:
                self._ids.add(row.id.int)

    async def read(self) -> None:
        """Read to the present end. Raises KafkaError."""
        async with self._reading() as reader:
            await self._catch_up(reader)

    def _reading(self) -> AbstractAsyncContextManager[TopicReader]:
        return reading_topic(client_options(self.app.settings), ACCOUNT_ROWS, POLL_MAX_RECORDS)

    async def _follow(self) -> bool:
        async with self._reading() as reader:
            while not self.app.should_stop:
                await self._catch_up(reader)
                await asyncio.sleep(INTERVAL_S)
        return False

    async def _catch_up(self, reader: TopicReader) -> None:
        async with self._lock:
            ends = await reader.end_offsets()
            # A log that ends before what was read of it is another one: the topic was made anew.
            known = {place: begin for place, begin in self._begins.items() if begin <= ends.get(place, -1)}
            begins = self._begins = dict.fromkeys(ends, 0) | known
            async for values in reader.read(begins, ends):
                self.apply(values)
