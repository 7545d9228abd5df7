"""The feed of the boards: one snapshot for all, nothing done for nobody, an end when it is asked for."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from api.live.facts import Facts
from api.live.sale import Row
from api.live.snapshot import frame
from api.problems import Refused
from api.servers import board as module
from api.servers.board import BoardFeed
from tables.offers import Offer
from tables.outcomes import Balance, Outcome, OutcomeKind, encode_outcome
from tests.eventually import eventually

EVENT, KIND = uuid4(), uuid4()


@dataclass
class FakeSources:
    """Knows one event, and counts how often it is asked."""

    asked: int = 0
    broken: bool = False
    closed: bool = False
    wanted: list[list[UUID]] = field(default_factory=list)

    def facts(self) -> Facts:
        self.asked += 1
        return Facts(at=time.monotonic())

    def rows(self, events: list[UUID]) -> list[Row]:
        if self.broken:
            raise RuntimeError("no")
        self.wanted.append(events)
        return [Row(EVENT, "Winterreise", "ACTIVE", [Offer(KIND, "Stalls", Decimal(10), "EUR", 10)], {})]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def sources() -> FakeSources:
    return FakeSources()


@pytest.fixture
def feed(sources: FakeSources, monkeypatch: pytest.MonkeyPatch) -> Iterator[BoardFeed]:
    monkeypatch.setattr(module, "TICK_S", 0.05)
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.1)
    monkeypatch.setattr(module, "GLANCE_S", 0.2)
    with closing(BoardFeed(sources)) as feed:
        yield feed


def outcome(sold: int = 1, as_of: int = 1) -> bytes:
    balance = (Balance(KIND, 10, 0, sold),)
    at = datetime.now(UTC)
    return encode_outcome(
        Outcome(kind=OutcomeKind.CONFIRMED, event=EVENT, offset=as_of, at=at, balance=balance, as_of=as_of)
    )


def snapshots(feed: BoardFeed) -> Iterator[Any]:
    """What a board is sent, decoded."""
    for piece in feed.frames(lambda: False):
        if piece.startswith(b"data: "):
            yield msgspec.json.decode(piece.removeprefix(b"data: "))


def test_a_sale_is_seen_by_who_watches(feed: BoardFeed) -> None:
    seen = snapshots(feed)
    next(seen)
    feed.count(str(EVENT).encode(), outcome(sold=4))

    def shown() -> Any:
        events = next(seen)["events"]
        return events and events[0]["types"][0]["sold"] == 4

    assert eventually(shown, within=5)
    assert eventually(lambda: sum(next(seen)["pace"]["counts"]) == 1, within=5)
    assert eventually(
        lambda: {rule["id"]: rule["verdict"] for rule in next(seen)["rules"]}["stock"] == "holds", within=5
    )
    seen.close()  # type: ignore[attr-defined]


def test_every_board_gets_the_same_bytes_and_they_are_made_once(
    feed: BoardFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    write = frame

    def counting(snapshot: Any) -> bytes:
        nonlocal made
        made += 1
        return write(snapshot)

    monkeypatch.setattr(module, "frame", counting)
    boards = [feed.frames(lambda: False) for _ in range(20)]
    for board in boards:
        assert next(board).startswith(b"retry:")
    sent = [next(board) for board in boards]
    assert made < 20
    assert sum(each is sent[-1] for each in sent) > 1
    for board in boards:
        board.close()  # type: ignore[attr-defined]


def test_nothing_is_asked_for_when_nobody_watches(feed: BoardFeed, sources: FakeSources) -> None:
    feed.count(str(EVENT).encode(), outcome())
    assert sources.asked == 0
    board = feed.frames(lambda: False)
    next(board)
    eventually(lambda: sources.asked > 1, within=5)
    board.close()  # type: ignore[attr-defined]
    eventually(lambda: not feed._runs, within=5)
    before = sources.asked
    time.sleep(0.3)
    assert sources.asked <= before + 1


def test_what_was_sold_before_anybody_watched_is_asked_for_by_its_event(feed: BoardFeed, sources: FakeSources) -> None:
    feed.count(str(EVENT).encode(), outcome())
    seen = snapshots(feed)
    eventually(lambda: bool(next(seen)["events"]), within=5)
    assert sources.wanted[0] == [EVENT]
    seen.close()  # type: ignore[attr-defined]


def test_a_look_without_a_stream_asks_for_the_next_one(feed: BoardFeed) -> None:
    feed.glance()
    assert eventually(lambda: feed.glance().events, within=5)


def test_a_board_ends_when_the_server_stops(feed: BoardFeed) -> None:
    stopping = threading.Event()
    board = feed.frames(stopping.is_set)
    next(board)
    stopping.set()
    assert len(list(board)) <= 1
    assert feed._boards == 0


def test_a_board_ends_after_a_while_so_that_an_ended_session_is_noticed(
    feed: BoardFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LASTS_S", 0.2)
    assert len(list(feed.frames(lambda: False))) < 20


def test_closing_the_feed_ends_every_board(feed: BoardFeed, sources: FakeSources) -> None:
    board = feed.frames(lambda: False)
    next(board)
    feed.close()
    assert len(list(board)) <= 1
    assert sources.closed


def test_boards_are_bounded(feed: BoardFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    boards = [feed.frames(lambda: False) for _ in range(2)]
    for board in boards:
        next(board)
    with pytest.raises(Refused) as refused:
        feed.frames(lambda: False)
    assert refused.value.kind == "busy"
    boards[0].close()  # type: ignore[attr-defined]
    next(feed.frames(lambda: False))


def test_a_definition_that_changes_is_no_decision(feed: BoardFeed) -> None:
    changed = encode_outcome(Outcome(kind=OutcomeKind.CHANGED, event=EVENT, offset=1, at=datetime.now(UTC)))
    feed.count(str(EVENT).encode(), changed)
    assert feed._selling.newest == []
    assert feed._pace.report(time.time() + 1).total == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [(None, None), (b"x", None), (None, outcome()), (b"x", b"nonsense"), (b"x", b'{"kind":"confirmed"}')],
)
def test_no_record_disturbs_the_purchases(feed: BoardFeed, key: bytes | None, value: bytes | None) -> None:
    board = feed.frames(lambda: False)
    next(board)
    feed.count(key, value)
    board.close()  # type: ignore[attr-defined]


def test_sources_that_fail_leave_the_figures_running(
    feed: BoardFeed, sources: FakeSources, caplog: pytest.LogCaptureFixture
) -> None:
    sources.broken = True
    seen = snapshots(feed)
    next(seen)
    feed.count(str(EVENT).encode(), outcome())
    assert eventually(lambda: sum(next(seen)["pace"]["counts"]) == 1, within=5)
    assert "could not be asked" in caplog.text
    seen.close()  # type: ignore[attr-defined]
