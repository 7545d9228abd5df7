"""The feed of the boards: one snapshot for all, nothing done for nobody, an end when it is asked for."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from api.adapters import board_feed as module
from api.adapters.board_feed import BOARDS_MAX, BoardFeed, FeedTimes
from api.board.board_text import Said
from api.board.pipeline_state import PipelineState
from api.board.sale import BoardEvent
from api.board.snapshot import frame
from api.pages.board_texts import said_in
from api.problems import Refused
from tables.messages.outcomes import Balance, Outcome, OutcomeKind, encode_outcome
from tables.offers import TicketOffer
from tests.unit.api.soon import soon

EVENT, KIND = uuid4(), uuid4()
SAID, GERMAN = said_in("en"), said_in("de")


@dataclass
class FakeSources:
    """Knows one event, and counts how often it is asked."""

    asked: int = 0
    broken: bool = False
    closed: bool = False
    wanted: list[list[UUID]] = field(default_factory=list)

    def state(self) -> PipelineState:
        self.asked += 1
        return PipelineState(at=time.monotonic())

    def rows(self, events: list[UUID]) -> list[BoardEvent]:
        if self.broken:
            raise RuntimeError("no")
        self.wanted.append(events)
        offers = [TicketOffer(KIND, "Stalls", Decimal(10), "EUR", 10)]
        ends_at = datetime.now(UTC) + timedelta(days=1)
        return [
            BoardEvent(
                id=EVENT, title="Winterreise", status="ACTIVE", capacity=None, ends_at=ends_at, offers=offers, stock={}
            )
        ]

    def close(self) -> None:
        self.closed = True


Scenario = Callable[[BoardFeed, FakeSources], Awaitable[None]]


SOON = FeedTimes(tick_s=0.02, probe_every_s=0.05, glance_s=0.1)


def watch(scenario: Scenario, times: FeedTimes = SOON, boards_max: int = BOARDS_MAX) -> None:
    """Carry it out with a feed, which ends afterwards."""

    async def run() -> None:
        sources = FakeSources()
        feed = BoardFeed(sources, times=times, boards_max=boards_max)
        try:
            await scenario(feed, sources)
        finally:
            await feed.close()

    asyncio.run(run())


def outcome(sold: int = 1, as_of: int = 1) -> bytes:
    balance = (Balance(KIND, 10, 0, sold),)
    at = datetime.now(UTC)
    return encode_outcome(
        Outcome(kind=OutcomeKind.CONFIRMED, event=EVENT, offset=as_of, at=at, balance=balance, as_of=as_of)
    )


async def shown(feed: BoardFeed, wanted: Callable[[Any], object]) -> None:
    """Watch until a board is sent such a snapshot."""
    async with asyncio.timeout(5), aclosing(feed.frames(SAID)) as frames:  # type: ignore[type-var]
        async for piece in frames:
            if piece.startswith(b"data: ") and wanted(msgspec.json.decode(piece.removeprefix(b"data: "))):
                return


async def opened(feed: BoardFeed, said: Said = SAID) -> AsyncIterator[bytes]:
    """A board that has its first piece."""
    board = feed.frames(said)
    assert (await anext(board)).startswith(b"retry:")
    return board


async def rest_of(board: AsyncIterator[bytes]) -> list[bytes]:
    async with asyncio.timeout(5):
        return [piece async for piece in board]


def test_a_sale_is_seen_by_who_watches() -> None:
    async def scenario(feed: BoardFeed, _: FakeSources) -> None:
        board = await opened(feed)
        feed.read(str(EVENT).encode(), outcome(sold=4))
        await shown(feed, lambda told: told["events"] and told["events"][0]["types"][0]["sold"] == 4)
        await shown(feed, lambda told: sum(told["pace"]["counts"]) == 1)
        await shown(feed, lambda told: {rule["id"]: rule["verdict"] for rule in told["rules"]}["stock"] == "holds")
        await board.aclose()  # type: ignore[attr-defined]

    watch(scenario)


def test_every_board_gets_the_same_bytes_and_they_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    write = frame

    def counting(snapshot: Any, said: Said) -> bytes:
        nonlocal made
        made += 1
        return write(snapshot, said)

    monkeypatch.setattr(module, "frame", counting)

    async def scenario(feed: BoardFeed, _: FakeSources) -> None:
        boards = [await opened(feed) for _ in range(20)]
        sent = await asyncio.gather(*(anext(board) for board in boards))
        assert made < 20
        assert sum(each is sent[-1] for each in sent) > 1
        for board in boards:
            await board.aclose()  # type: ignore[attr-defined]

    watch(scenario)


def test_each_board_is_in_its_language() -> None:
    async def scenario(feed: BoardFeed, _: FakeSources) -> None:
        boards = [await opened(feed, said) for said in (SAID, GERMAN)]
        english, german = [await anext(board) for board in boards]
        assert (b"asking" in english, b"asking" in german) == (True, False)
        assert b"wird abgefragt" in german
        for board in boards:
            await board.aclose()  # type: ignore[attr-defined]

    watch(scenario)


def test_nothing_is_asked_for_when_nobody_watches() -> None:
    async def scenario(feed: BoardFeed, sources: FakeSources) -> None:
        feed.read(str(EVENT).encode(), outcome())
        assert sources.asked == 0
        board = await opened(feed)
        await soon(lambda: sources.asked > 1)
        await board.aclose()  # type: ignore[attr-defined]
        ticking = feed._ticking
        await soon(lambda: ticking is not None and ticking.done())
        before = sources.asked
        await asyncio.sleep(0.2)
        assert sources.asked <= before + 1

    watch(scenario)


def test_what_was_sold_before_anybody_watched_is_asked_for_by_its_event() -> None:
    async def scenario(feed: BoardFeed, sources: FakeSources) -> None:
        feed.read(str(EVENT).encode(), outcome())
        await shown(feed, lambda told: told["events"])
        assert sources.wanted[0] == [EVENT]

    watch(scenario)


def test_a_look_without_a_stream_asks_for_the_next_one() -> None:
    async def scenario(feed: BoardFeed, _: FakeSources) -> None:
        feed.read(str(EVENT).encode(), outcome())
        async with asyncio.timeout(5):
            while not (await feed.glance()).events:  # noqa: ASYNC110 (each look asks)
                await asyncio.sleep(0.001)

    watch(scenario)


def test_a_board_ends_after_a_while_so_that_an_ended_session_is_noticed() -> None:
    async def scenario(feed: BoardFeed, _: FakeSources) -> None:
        assert len(await rest_of(feed.frames(SAID))) < 30
        assert feed._boards == 0

    watch(scenario, replace(SOON, stream_s=0.2))


def test_closing_the_feed_ends_every_board() -> None:
    async def scenario(feed: BoardFeed, sources: FakeSources) -> None:
        board = await opened(feed)
        await feed.close()
        assert len(await rest_of(board)) <= 1
        assert sources.closed

    watch(scenario)


def test_boards_are_bounded() -> None:
    async def scenario(feed: BoardFeed, _: FakeSources) -> None:
        boards = [await opened(feed) for _ in range(2)]
        with pytest.raises(Refused) as refused:
            feed.frames(SAID)
        assert refused.value.kind == "busy"
        await boards[0].aclose()  # type: ignore[attr-defined]
        await opened(feed)

    watch(scenario, boards_max=2)


def test_a_definition_that_changes_is_no_decision() -> None:
    async def scenario(feed: BoardFeed, _: FakeSources) -> None:
        changed = encode_outcome(Outcome(kind=OutcomeKind.CHANGED, event=EVENT, offset=1, at=datetime.now(UTC)))
        feed.read(str(EVENT).encode(), changed)
        assert feed._selling.recent_ids(time.time()) == []
        assert feed._rates.report(time.time() + 1).total == 0

    watch(scenario)


def test_a_refusal_is_no_sale() -> None:
    async def scenario(feed: BoardFeed, _: FakeSources) -> None:
        refused = Outcome(kind=OutcomeKind.REJECTED, event=EVENT, offset=1, at=datetime.now(UTC))
        feed.read(str(EVENT).encode(), encode_outcome(refused))
        assert feed._rates.report(time.time() + 1).total == 1
        assert feed._selling.recent_ids(time.time()) == []

    watch(scenario)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, None),
        (b"x", None),
        (None, outcome()),
        (b"x", b"nonsense"),
        (b"x", b'{"kind":"confirmed"}'),
        (b"x", b'{"kind":"confirmed'),
        (b"x", b'{"kind":"\xff"}'),
        (b"x", b'{"kind":"held","event":"\xff"}'),
        (b"x", b'{"kind":"held","x":' + b"[" * 100_000),
        (b"x", b'{"kind":"held","at":"0001-01-01T00:00:00","event":"%b"}' % str(EVENT).encode()),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_no_record_disturbs_the_purchases(key: bytes | None, value: bytes | None) -> None:
    async def scenario(feed: BoardFeed, _: FakeSources) -> None:
        board = await opened(feed)
        feed.read(key, value)
        assert feed._selling.recent_ids(time.time()) == []
        await board.aclose()  # type: ignore[attr-defined]

    watch(scenario)


def test_sources_that_fail_leave_the_figures_running(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(feed: BoardFeed, sources: FakeSources) -> None:
        sources.broken = True
        board = await opened(feed)
        feed.read(str(EVENT).encode(), outcome())
        await shown(feed, lambda told: sum(told["pace"]["counts"]) == 1)
        await soon(lambda: "could not be asked" in caplog.text)
        await board.aclose()  # type: ignore[attr-defined]

    watch(scenario)
