"""Waits that share their questions: each ends with what it waited for, an error, or its time."""

import asyncio
import threading
import time
from collections.abc import Collection

import pytest

from api.adapters.shared_waits import INTERVAL_EACH_S, SharedWaits
from api.problems import Unavailable
from tests.unit.api.soon import soon


class Source:
    """What is there by now."""

    def __init__(self) -> None:
        self.there: dict[str, int] = {}
        self.calls: list[list[str]] = []
        self.is_down = False

    def ask(self, keys: Collection[str]) -> dict[str, int]:
        self.calls.append(sorted(keys))
        if self.is_down:
            raise Unavailable("postgres")
        return {key: self.there[key] for key in keys if key in self.there}


def waits_for(source: Source, keys_max: int = 200) -> SharedWaits[str, int]:
    return SharedWaits(source.ask, interval_s=0.01, keys_max=keys_max)


def test_a_wait_ends_as_soon_as_something_is_there() -> None:
    async def scenario() -> None:
        source = Source()
        waits = waits_for(source)
        waiting = [asyncio.create_task(waits.wait(key, 10)) for key in ("a", "b", "a")]
        await soon(lambda: len(source.calls) > 1)
        assert source.calls[-1] == ["a", "b"]
        source.there["a"] = 1
        assert [await waiting[0], await waiting[2]] == [1, 1]
        assert not waiting[1].done()
        source.there["b"] = 2
        assert await waiting[1] == 2

    asyncio.run(scenario())


def test_nothing_is_asked_while_nobody_waits() -> None:
    async def scenario() -> None:
        source = Source()
        waits = waits_for(source)
        assert await waits.wait("a", 0.03) is None
        count = len(source.calls)
        await asyncio.sleep(0.05)
        assert len(source.calls) <= count + 1
        source.there["a"] = 1
        assert await waits.wait("a", 10) == 1

    asyncio.run(scenario())


def test_a_question_has_a_limited_number_of_keys() -> None:
    async def scenario() -> None:
        source = Source()
        source.there = {str(number): number for number in range(5)}
        waits = waits_for(source, keys_max=2)
        assert await asyncio.gather(*(waits.wait(str(number), 10) for number in range(5))) == list(range(5))
        assert sorted(map(len, source.calls)) == [1, 2, 2]

    asyncio.run(scenario())


def test_an_error_is_that_of_all_who_wait_and_of_nobody_later() -> None:
    async def scenario() -> None:
        source = Source()
        source.is_down = True
        waits = waits_for(source)
        found = await asyncio.gather(waits.wait("a", 10), waits.wait("b", 10), return_exceptions=True)
        assert [type(each) for each in found] == [Unavailable, Unavailable]
        source.is_down, source.there = False, {"a": 1}
        assert await waits.wait("a", 10) == 1

    asyncio.run(scenario())


def test_a_question_that_hangs_keeps_one_thread_and_nobody_longer_than_his_time() -> None:
    async def scenario() -> None:
        source, goes_on = Source(), threading.Event()

        def ask(keys: Collection[str]) -> dict[str, int]:
            found = source.ask(keys)
            assert goes_on.wait(10)
            return found

        waits: SharedWaits[str, int] = SharedWaits(ask, interval_s=0.01)
        began = time.monotonic()
        assert await asyncio.gather(*(waits.wait(key, 0.1) for key in "abc")) == [None, None, None]
        assert time.monotonic() - began < 5
        assert len(source.calls) == 1
        source.there["d"] = 4
        waiting = asyncio.create_task(waits.wait("d", 10))
        await asyncio.sleep(0.03)
        assert len(source.calls) == 1
        goes_on.set()
        assert await waiting == 4

    asyncio.run(scenario())


def test_who_gives_up_takes_nothing_from_the_others() -> None:
    async def scenario() -> None:
        source = Source()
        waits = waits_for(source)
        patient = asyncio.create_task(waits.wait("a", 10))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waits.wait("a", 10), 0.02)
        source.there["a"] = 1
        assert await patient == 1

    asyncio.run(scenario())


def test_a_crowd_asks_less_often() -> None:
    async def scenario() -> None:
        source = Source()
        waits = waits_for(source)
        waiting = [asyncio.create_task(waits.wait(str(number), 10)) for number in range(100)]
        await soon(lambda: len(source.calls) == 1)
        began = time.monotonic()
        source.there = {str(number): number for number in range(99)}
        assert await asyncio.gather(*waiting[:-1]) == list(range(99))
        assert time.monotonic() - began > 50 * INTERVAL_EACH_S
        # Of the one who is left every question is cheap again.
        await soon(lambda: len(source.calls) > 4)
        waiting[-1].cancel()

    asyncio.run(scenario())
