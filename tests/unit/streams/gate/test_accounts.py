"""The accounts that a gate knows, from a topic that may be made anew while it runs."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from streams.gate.accounts import KnownAccounts


class Rows:
    """The topic and its reader: by partition the numbers of accounts."""

    def __init__(self, logs: dict[int, list[int]]) -> None:
        self.logs = logs

    async def __aenter__(self) -> "Rows":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def end_offsets(self) -> dict[int, int]:
        return {place: len(log) for place, log in self.logs.items()}

    async def read(self, begins: dict[int, int], ends: dict[int, int]) -> AsyncIterator[list[bytes | None]]:
        for place, begin in list(begins.items()):
            yield [b'{"id": "%s", "__lsn": 1}' % str(UUID(int=one)).encode() for one in self.logs[place][begin:]]
            begins[place] = ends[place]


def test_accounts_of_a_topic_that_was_made_anew_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.gate.accounts.add_timer", lambda *_, **__: None)
    app: Any = SimpleNamespace(before_agents=[])
    accounts, topic = KnownAccounts(app), Rows({0: [1, 2], 1: [3], 2: [4]})
    monkeypatch.setattr(accounts, "_reading", lambda: topic)
    asyncio.run(accounts.read())
    topic.logs = {0: [5], 1: [3, 6]}
    asyncio.run(accounts.read())
    assert all(accounts.has(UUID(int=number)) for number in range(1, 7))
