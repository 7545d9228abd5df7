"""The agent that tells PostgreSQL how many tickets are out, at most once a second per event, for the search.

Column ``stock`` of ``event``: by ticket type what the newest outcome says. An event whose row is locked waits.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, InterfaceError, OperationalError

from connect.topics import OUTCOMES
from streams.projections.projection import UNFIT
from streams.runtime.agents import add_agent
from streams.runtime.app import App
from streams.runtime.kafka_types import Message
from streams.runtime.retry import patiently, wait
from streams.runtime.tracing import handed_on
from tables.errors import MalformedRecord
from tables.messages.outcomes import Outcome, decode_checked_outcome
from tables.offers import StockSnapshots, decode_stock, encode_stock, merge_newest, snapshot_of
from telemetry.rate_limited import RateLimitedLog

CONSUMER = "stock"
MOST = 10_000
EVENTS = 200
EVERY_S = 1.0
CONNECT_TIMEOUT_S = 5

# In the order of the keys, as everybody who locks many events does.
SELECT = "SELECT id, stock::text FROM event WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
UPDATE = "UPDATE event SET stock = %s::jsonb, traceparent = %s WHERE id = %s"

odd = RateLimitedLog(logging.getLogger(__name__))


class StockAgent:
    """Writes the newest balances of ``ticket-purchase`` to the rows of ``event``."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._connection: AsyncConnection[Any] | None = None
        self._last = 0.0
        add_agent(app, OUTCOMES, self._handle, name=CONSUMER, batch_max_records=MOST)

    async def _handle(self, messages: list[Message]) -> None:
        readable = _readable(messages)
        news = stock_of(outcome for _, outcome in readable)
        if not news:
            return
        # One trace at most goes on with a row, whatever it tells of.
        traced = {outcome.event: handed_on(message) for message, outcome in readable if message.headers}
        await self._pause()
        self._last = time.monotonic()
        events = list(news)
        for first in range(0, len(events), EVENTS):
            some = {event: news[event] for event in events[first : first + EVENTS]}
            await patiently(
                self.app,
                partial(self._store, some, traced),
                doing="telling what is left of tickets",
                passing=(OperationalError, InterfaceError),
            )

    async def _store(self, news: dict[UUID, StockSnapshots], traced: Mapping[UUID, str | None]) -> None:
        """Write the rows together; each by itself where one of them breaks a constraint, and that one not at all."""
        try:
            await self._write(news, traced)
        except UNFIT as error:
            if len(news) > 1:
                for event, stock in news.items():
                    await self._store({event: stock}, traced)
                return
            [event] = news
            told = str(error).partition("\n")[0]
            odd.warning(str(event), "what is left of event %s can't be stored, mend its row: %s", event, told)

    async def _write(self, news: dict[UUID, StockSnapshots], traced: Mapping[UUID, str | None]) -> None:
        connection = await self._connected()
        async with connection.transaction(), connection.cursor() as cursor:
            await cursor.execute(SELECT, (list(news),))
            known = {event: _known(text) for event, text in await cursor.fetchall()}
            after = {event: merge_newest(stock, news[event]) for event, stock in known.items()}
            changed = [
                (encode_stock(stock), traced.get(event), event)
                for event, stock in after.items()
                if stock != known[event]
            ]
            if changed:
                await cursor.executemany(UPDATE, changed)

    async def _connected(self) -> AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await AsyncConnection.connect(
                self.app.settings.database_url.get_secret_value(),
                connect_timeout=CONNECT_TIMEOUT_S,
                options="-c lock_timeout=2s",
            )
        return self._connection

    async def _pause(self) -> None:
        """Wait until a second has passed since the last time. Raises Interrupted as ``wait`` does."""
        left_s = self._last + EVERY_S - time.monotonic()
        if left_s > 0:
            await wait(self.app, left_s)


def stock_of(outcomes: Iterable[Outcome]) -> dict[UUID, StockSnapshots]:
    """By event, the newest that outcomes say of each ticket type."""
    news: dict[UUID, StockSnapshots] = {}
    for outcome in outcomes:
        told = {balance.ticket_type: snapshot_of(balance, outcome.as_of) for balance in outcome.balance}
        if told:
            news[outcome.event] = merge_newest(news.get(outcome.event, {}), told)
    return news


def _known(text: str) -> StockSnapshots:
    """What the column has; nothing if somebody put there what no stock is, since the outcomes know better."""
    try:
        return decode_stock(text)
    except MalformedRecord:
        return {}


def _readable(messages: list[Message]) -> list[tuple[Message, Outcome]]:
    """What can't be read is left out here: the agent ``sales`` makes dead letters of it."""
    outcomes = []
    for message in messages:
        try:
            outcomes.append((message, decode_checked_outcome(message.value)))
        except MalformedRecord:
            continue
    return outcomes
