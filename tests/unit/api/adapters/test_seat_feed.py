"""The stream of the seats that are taken."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from itertools import count
from uuid import UUID

import pytest

from api.adapters.seat_feed import SeatFeed, SeatFeedTimes
from api.problems import Refused, Unavailable
from api.schemas.seating import Seats
from tests.unit.api.looking import threads_while

EVENT = UUID(int=1)
FAST = SeatFeedTimes(look_s=0.0, quiet_s=60.0, stream_s=60.0)


def seats(offset: int, plan: int = 3) -> Seats:
    return Seats(event_id=EVENT, plan=plan, offset=offset, sections=[])


class Looks:
    """What is found at each look; the last one for ever."""

    def __init__(self, *found: Seats | Unavailable | None) -> None:
        self.found = list(found)
        self.asked: list[int] = []

    def __call__(self, event: UUID, since: int) -> Seats | None:
        self.asked.append(since)
        found = self.found.pop(0) if len(self.found) > 1 else self.found[0]
        if isinstance(found, Unavailable):
            raise found
        return found


async def first(pieces: AsyncIterator[bytes], count: int) -> list[bytes]:
    return [await anext(pieces) for _ in range(count)]


def told(piece: bytes) -> tuple[str, int, int]:
    head, data = piece.decode().strip().split("\n")
    body = json.loads(data.removeprefix("data: "))
    return head, body["plan"], body["offset"]


def test_a_change_is_sent_once_with_the_offset_to_go_on_from() -> None:
    looks = Looks(seats(5), seats(5), Unavailable("postgres"), seats(8))
    pieces = asyncio.run(first(SeatFeed(looks, FAST).follow(EVENT, -1), 2))
    assert [told(piece) for piece in pieces] == [("id: 5", 3, 5), ("id: 8", 3, 8)]
    assert looks.asked == [-1, 5, 5, 5]


def test_another_plan_is_sent_as_a_whole() -> None:
    looks = Looks(seats(5), seats(6, plan=4), seats(6, plan=4))
    pieces = asyncio.run(first(SeatFeed(looks, FAST).follow(EVENT, -1), 2))
    assert told(pieces[1]) == ("id: 6", 4, 6)
    assert looks.asked == [-1, 5, -1]


def test_streams_of_an_event_look_together() -> None:
    looks = Looks(seats(5))

    async def follow(feed: SeatFeed) -> list[bytes]:
        return [piece async for piece in feed.follow(EVENT, -1)]

    async def follow_all() -> list[list[bytes]]:
        feed = SeatFeed(looks, SeatFeedTimes(look_s=0.1, quiet_s=60.0, stream_s=0.5))
        return await asyncio.gather(*[follow(feed) for _ in range(50)])

    assert [[told(piece) for piece in pieces] for pieces in asyncio.run(follow_all())] == [[("id: 5", 3, 5)]] * 50
    assert set(looks.asked) == {-1, 5}
    assert len(looks.asked) <= 12


def test_a_quiet_stream_says_so_and_ends_in_time() -> None:
    async def everything(feed: SeatFeed) -> list[bytes]:
        return [piece async for piece in feed.follow(EVENT, -1)]

    quiet = SeatFeed(Looks(None), SeatFeedTimes(look_s=0.01, quiet_s=0.0, stream_s=0.05))
    assert set(asyncio.run(everything(quiet))) == {b":\n\n"}


def test_streams_are_bounded_and_one_that_ends_leaves_room() -> None:
    async def run() -> None:
        feed = SeatFeed(Looks(seats(5)), FAST, streams_max=1)
        open_one = feed.follow(EVENT, -1)
        await anext(open_one)
        with pytest.raises(Refused) as refused:
            feed.follow(EVENT, -1)
        assert refused.value.kind == "busy"
        await open_one.aclose()  # type: ignore[attr-defined]
        await anext(feed.follow(EVENT, -1))

    asyncio.run(run())


def test_streams_that_nobody_answers_leave_the_loop_its_threads() -> None:
    offsets = count()

    async def follow(look: Callable[..., None]) -> None:
        feed: SeatFeed = SeatFeed(look, SeatFeedTimes(look_s=0.0, stream_s=0.0001))
        async for _ in feed.follow(EVENT, next(offsets)):
            pass

    assert asyncio.run(threads_while(follow))
