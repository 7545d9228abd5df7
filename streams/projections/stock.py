"""The agent that writes held and sold tickets to column ``stock`` of ``event``, once a second, for the search index.

The column has the newest outcome's figures by ticket type. An event whose row is locked is retried.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from functools import partial
from uuid import UUID

from connect.postgres_errors import UNAVAILABLE
from connect.topics import OUTCOMES
from streams.projections.outcomes import read_outcomes
from streams.runtime.app import App
from streams.runtime.failures import interruptible_sleep, with_retries
from streams.runtime.kafka_types import Message
from streams.runtime.postgres import LazyConnection
from streams.runtime.projection import REJECTED
from streams.runtime.record_context import traceparent_of
from tables.errors import MalformedRecord
from tables.messages.outcomes import Outcome
from tables.offers import StockSnapshots, decode_stock, encode_stock, merge_newest, snapshot_of
from telemetry.rate_limited import RateLimitedLog

CONSUMER = "stock"
BATCH_MAX_RECORDS = 10_000
TRANSACTION_MAX_EVENTS = 200
INTERVAL_S = 1.0

# In key order, as all who lock several events do, so that none deadlock.
SELECT = "SELECT id, stock::text FROM event WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
UPDATE = "UPDATE event SET stock = %s::jsonb, traceparent = %s WHERE id = %s"

log = RateLimitedLog(logging.getLogger(__name__))


class StockAgent:
    """Writes the newest stock of ``ticket-purchase`` to the rows of ``event``."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._connection = LazyConnection(app, options="-c lock_timeout=2s")
        self._written_at_s = 0.0
        app.add_agent(OUTCOMES, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    async def _handle(self, messages: list[Message]) -> None:
        # Of malformed ones agent ``sales`` makes dead letters.
        decoded = read_outcomes(messages)
        stocks = stock_of(outcome for _, outcome in decoded)
        if not stocks:
            return
        # A row has room for one trace only.
        traced = {outcome.event: traceparent_of(message) for message, outcome in decoded if message.headers}
        await self._pause()
        self._written_at_s = time.monotonic()
        events = list(stocks)
        for first in range(0, len(events), TRANSACTION_MAX_EVENTS):
            some = {event: stocks[event] for event in events[first : first + TRANSACTION_MAX_EVENTS]}
            await with_retries(
                self.app,
                partial(self._store, some, traced),
                doing="telling what is left of tickets",
                transient=UNAVAILABLE,
            )

    async def _store(self, stocks: dict[UUID, StockSnapshots], traced: Mapping[UUID, str | None]) -> None:
        """Write the rows together; where one is rejected, each by itself, without that one."""
        try:
            await self._write(stocks, traced)
        except REJECTED as error:
            if len(stocks) > 1:
                for event, stock in stocks.items():
                    await self._store({event: stock}, traced)
                return
            [event] = stocks
            reason = str(error).partition("\n")[0]
            log.warning(str(event), "the stock of event %s is rejected, fix its row: %s", event, reason)

    async def _write(self, stocks: dict[UUID, StockSnapshots], traced: Mapping[UUID, str | None]) -> None:
        opened = self._connection.open()
        async with opened as connection, connection.transaction(), connection.cursor() as cursor:
            await cursor.execute(SELECT, (list(stocks),))
            known = {event: _known(text) for event, text in await cursor.fetchall()}
            after = {event: merge_newest(stock, stocks[event]) for event, stock in known.items()}
            changed = [
                (encode_stock(stock), traced.get(event), event)
                for event, stock in after.items()
                if stock != known[event]
            ]
            if changed:
                await cursor.executemany(UPDATE, changed)

    async def _pause(self) -> None:
        """Wait until INTERVAL_S has passed since the last write. Raises Interrupted."""
        while (left_s := self._written_at_s + INTERVAL_S - time.monotonic()) > 0:
            await interruptible_sleep(self.app, left_s)


def stock_of(outcomes: Iterable[Outcome]) -> dict[UUID, StockSnapshots]:
    """By event, the newest stock of each ticket type."""
    stocks: dict[UUID, StockSnapshots] = {}
    for outcome in outcomes:
        said = {balance.ticket_type: snapshot_of(balance, outcome.as_of) for balance in outcome.balance}
        if said:
            stocks[outcome.event] = merge_newest(stocks.get(outcome.event, {}), said)
    return stocks


def _known(text: str) -> StockSnapshots:
    """The column's stock; empty where it is malformed, since the outcomes are the source."""
    try:
        return decode_stock(text)
    except MalformedRecord:
        return {}
