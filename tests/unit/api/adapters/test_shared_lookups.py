"""Lookups of one moment are one call, whose result or error all of them get."""

import asyncio
import threading
from collections.abc import Collection

import pytest

from api.adapters.shared_lookups import SharedLookups
from api.problems import Unavailable
from tests.unit.api.soon import soon


class Source:
    """Squares of numbers below ten, unless it is down."""

    def __init__(self) -> None:
        self.calls: list[set[int]] = []
        self.is_down = False

    def ask(self, _: None, keys: Collection[int]) -> dict[int, int]:
        self.calls.append(set(keys))
        if self.is_down:
            raise Unavailable("postgres")
        return {key: key * key for key in keys if key < 10}


def test_what_is_asked_within_a_moment_is_one_call() -> None:
    async def scenario() -> None:
        source = Source()
        lookups = SharedLookups(source.ask, gather_s=0.01)
        assert await asyncio.gather(*(lookups.find(None, key) for key in (3, 4, 3, 12))) == [9, 16, 9, None]
        assert await lookups.find(None, 5) == 25
        assert source.calls == [{3, 4, 12}, {5}]

    asyncio.run(scenario())


def test_a_call_has_a_limited_number_of_keys() -> None:
    async def scenario() -> None:
        source = Source()
        lookups = SharedLookups(source.ask, gather_s=0.01, keys_max=2)
        assert await asyncio.gather(*(lookups.find(None, key) for key in range(5))) == [0, 1, 4, 9, 16]
        assert sorted(map(len, source.calls)) == [1, 2, 2]

    asyncio.run(scenario())


def test_an_error_is_that_of_all_who_asked_and_of_nobody_later() -> None:
    async def scenario() -> None:
        source = Source()
        lookups = SharedLookups(source.ask, gather_s=0.01)
        source.is_down = True
        found = await asyncio.gather(lookups.find(None, 1), lookups.find(None, 2), return_exceptions=True)
        assert [type(each) for each in found] == [Unavailable, Unavailable]
        source.is_down = False
        assert await lookups.find(None, 1) == 1

    asyncio.run(scenario())


def test_who_gives_up_takes_nothing_from_the_others() -> None:
    async def scenario() -> None:
        lookups = SharedLookups(Source().ask, gather_s=0.01)
        patient = asyncio.create_task(lookups.find(None, 2))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lookups.find(None, 3), 0.001)
        assert await patient == 4

    asyncio.run(scenario())


def test_a_call_that_hangs_holds_up_no_other_group_and_no_later_call() -> None:
    async def scenario() -> None:
        goes_on = threading.Event()
        calls: list[tuple[str, set[int]]] = []

        def ask(group: str, keys: Collection[int]) -> dict[int, str]:
            calls.append((group, set(keys)))
            assert keys != {0} or goes_on.wait(10)
            return dict.fromkeys(keys, group)

        lookups = SharedLookups(ask, gather_s=0.001)
        hanging = asyncio.create_task(lookups.find("a", 0))
        await soon(lambda: calls == [("a", {0})])
        assert list(await asyncio.gather(lookups.find("a", 1), lookups.find("b", 1))) == ["a", "b"]
        assert sorted(calls) == [("a", {0}), ("a", {1}), ("b", {1})]
        goes_on.set()
        assert await hanging == "a"

    asyncio.run(scenario())
