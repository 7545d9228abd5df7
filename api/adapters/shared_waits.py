"""Waits of many requests of the loop for rows that others write: one question at a time has all of them."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final, Generic, TypeVar

from api.adapters.ledger.pending_requests import result_within

Key = TypeVar("Key")
Value = TypeVar("Value")
INTERVAL_S: Final = 0.05
# Where many wait, each question costs more and has more answers at once: the pause grows with them, up to so long.
INTERVAL_EACH_S: Final = 0.001
INTERVAL_MAX_S: Final = 0.2
QUESTION_MAX_KEYS: Final = 200


class SharedWaits(Generic[Key, Value]):
    """Asks ``ask`` in a thread every ``interval_s``, less often for a crowd, for ``keys_max`` keys at once.

    There is one call at a time, so a server that hangs keeps one thread waiting, and not one for each request.
    """

    def __init__(
        self,
        ask: Callable[[Collection[Key]], Mapping[Key, Value]],
        interval_s: float = INTERVAL_S,
        keys_max: int = QUESTION_MAX_KEYS,
    ) -> None:
        self._ask = ask
        self._interval_s = interval_s
        self._keys_max = keys_max
        self._waiting: dict[Key, set[asyncio.Future[Value | None]]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def wait(self, key: Key, seconds: float) -> Value | None:
        """What is found under a key as soon as there is something; None after ``seconds``. Raises as ``ask`` does."""
        found: asyncio.Future[Value | None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(key, set())
        waiting.add(found)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_on())
        try:
            return await result_within(found, seconds)
        finally:
            waiting.discard(found)
            if not waiting and self._waiting.get(key) is waiting:
                del self._waiting[key]

    async def _ask_on(self) -> None:
        while self._waiting:
            keys = list(self._waiting)
            for first in range(0, len(keys), self._keys_max):
                await self._ask_for(keys[first : first + self._keys_max])
            await asyncio.sleep(max(self._interval_s, min(INTERVAL_EACH_S * len(keys), INTERVAL_MAX_S)))

    async def _ask_for(self, keys: list[Key]) -> None:
        try:
            found = await asyncio.to_thread(self._ask, keys)
        except Exception as error:  # noqa: BLE001 (whatever it is, those who wait must learn of it)
            for waiting in self._taken(keys):
                waiting.set_exception(error)
            return
        for key, value in found.items():
            for waiting in self._taken([key]):
                waiting.set_result(value)

    def _taken(self, keys: Collection[Key]) -> list[asyncio.Future[Value | None]]:
        """The requests that wait for these keys. Later ones are part of another question."""
        return [one for key in keys for one in self._waiting.pop(key, ()) if not one.done()]
