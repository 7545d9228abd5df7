"""Lookups that many requests of the loop share: those of the same moment are one call."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final, Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")
GATHER_S: Final = 0.02
LOOKUP_MAX_KEYS: Final = 200


class _Lookup(Generic[Key, Value]):
    """The keys of many requests, and what was found."""

    def __init__(self) -> None:
        self.keys: set[Key] = set()
        self.found: asyncio.Future[Mapping[Key, Value]] = asyncio.get_running_loop().create_future()


class SharedLookups(Generic[Key, Value]):
    """Asks ``ask`` in a thread: for all that comes within ``gather_s`` or while it is asked, ``keys_max`` at once.

    So a server that hangs keeps one thread waiting, and not one for each request.
    """

    def __init__(
        self,
        ask: Callable[[Collection[Key]], Mapping[Key, Value]],
        gather_s: float = GATHER_S,
        keys_max: int = LOOKUP_MAX_KEYS,
    ) -> None:
        self._ask = ask
        self._gather_s = gather_s
        self._keys_max = keys_max
        self._open: _Lookup[Key, Value] | None = None
        self._asking: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    async def find(self, key: Key) -> Value | None:
        """What was found under a key. Raises as ``ask`` does."""
        lookup = self._open or self._begin()
        lookup.keys.add(key)
        if len(lookup.keys) >= self._keys_max:
            self._open = None
        return (await asyncio.shield(lookup.found)).get(key)

    def _begin(self) -> _Lookup[Key, Value]:
        lookup = self._open = _Lookup()
        task = asyncio.create_task(self._answer(lookup))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return lookup

    async def _answer(self, lookup: _Lookup[Key, Value]) -> None:
        await asyncio.sleep(self._gather_s)
        async with self._turn:
            if self._open is lookup:
                self._open = None
            try:
                lookup.found.set_result(await asyncio.to_thread(self._ask, lookup.keys))
            except Exception as error:  # noqa: BLE001 (whatever it is, those who wait must learn of it)
                lookup.found.set_exception(error)
