"""The stock of the newest outcomes, written at most once a second."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from psycopg import OperationalError
from psycopg.errors import CheckViolation

from streams.projections.stock import INTERVAL_S, StockAgent, stock_of
from streams.runtime.agents import Interrupted
from streams.runtime.counters import Counters
from tables.messages.outcomes import Balance, Outcome, OutcomeKind, encode_outcome
from tables.offers import StockSnapshot, StockSnapshots

EVENT, OTHER, STALLS, CIRCLE = (UUID(int=number) for number in range(1, 5))
NONE_LEFT = Balance(STALLS, 9, 0, 9)


def outcome(as_of: int, *balance: Balance, event: UUID = EVENT) -> Outcome:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    return Outcome(kind=OutcomeKind.CONFIRMED, event=event, offset=as_of, at=at, balance=balance, as_of=as_of)


def test_of_each_ticket_type_the_newest_balance_counts_whatever_the_order() -> None:
    first = outcome(7, Balance(STALLS, 100, 1, 2), Balance(CIRCLE, 10, 0, 1))
    later = outcome(9, Balance(STALLS, 100, 0, 3))
    other = outcome(2, Balance(STALLS, 5, 0, 5), event=OTHER)

    for outcomes in ([first, later, other], [later, other, first, first]):
        assert stock_of(outcomes) == {
            EVENT: {STALLS: StockSnapshot(9, 0, 3), CIRCLE: StockSnapshot(7, 0, 1)},
            OTHER: {STALLS: StockSnapshot(2, 0, 5)},
        }


def test_an_outcome_without_balance_is_no_news() -> None:
    assert stock_of([outcome(7)]) == {}


class Told:
    """The rows that the agent would write, with the time; the first attempts may fail."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.stored: list[tuple[float, dict[UUID, StockSnapshots]]] = []

    async def store(self, stocks: dict[UUID, StockSnapshots], traced: Mapping[UUID, str | None]) -> None:
        assert not traced
        if self.failures:
            raise self.failures.pop()
        self.stored.append((time.monotonic(), stocks))


@pytest.fixture
def app() -> Any:
    flow = SimpleNamespace(is_active=lambda: True)
    return SimpleNamespace(should_stop=False, flow_control=flow, add_agent=lambda *_, **__: None, counters=Counters())


def agent(app: Any, told: Told) -> StockAgent:
    made = StockAgent(app)
    made._store = told.store  # type: ignore[method-assign]
    return made


def message(as_of: int) -> Any:
    return SimpleNamespace(headers=(), decoded=None, value=encode_outcome(outcome(as_of, Balance(STALLS, 9, 0, as_of))))


def test_an_event_is_told_at_most_once_a_second(app: Any) -> None:
    told = Told()
    stock = agent(app, told)

    async def both() -> None:
        await stock._handle([message(1), message(2)])
        await stock._handle([message(3)])

    asyncio.run(both())

    (first, stocks), (second, last) = told.stored
    assert stocks == {EVENT: {STALLS: StockSnapshot(2, 0, 2)}}
    assert last == {EVENT: {STALLS: StockSnapshot(3, 0, 3)}}
    assert second - first >= INTERVAL_S


def test_a_database_that_is_away_is_waited_for(app: Any) -> None:
    told = Told(OperationalError("gone"))
    asyncio.run(agent(app, told)._handle([message(1)]))
    assert len(told.stored) == 1


def test_a_pause_ends_with_the_worker_and_leaves_its_batch_unacknowledged(app: Any) -> None:
    stock = agent(app, Told())
    asyncio.run(stock._handle([message(1)]))
    app.should_stop = True
    with pytest.raises(Interrupted):
        asyncio.run(stock._handle([message(2)]))


@pytest.mark.parametrize(
    "value", [b"{", encode_outcome(outcome(7, Balance(STALLS, 9, 0, -3))), encode_outcome(outcome(2**63, NONE_LEFT))]
)
def test_what_no_ledger_has_decided_is_left_to_the_projection_of_sales(app: Any, value: bytes) -> None:
    told = Told()
    odd: Any = SimpleNamespace(decoded=None, value=value)
    asyncio.run(agent(app, told)._handle([odd, message(1)]))
    assert [stocks for _, stocks in told.stored] == [{EVENT: {STALLS: StockSnapshot(1, 0, 1)}}]


def test_a_row_that_breaks_a_constraint_holds_up_no_other(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    agent = StockAgent(app)
    stored: list[UUID] = []

    async def write(stocks: dict[UUID, StockSnapshots], traced: Mapping[UUID, str | None]) -> None:
        if OTHER in stocks:
            raise CheckViolation("event_tags_bound")
        stored.extend(stocks)

    agent._write = write  # type: ignore[method-assign]
    asyncio.run(agent._store({EVENT: {}, OTHER: {}, STALLS: {}}, {}))

    assert stored == [EVENT, STALLS]
    assert f"the stock of event {OTHER} is rejected, fix its row: event_tags_bound" in caplog.text
