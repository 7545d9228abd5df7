"""Lookups that many requests of the loop share: those of the same moment are one call."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final, Generic, TypeVar

Group = TypeVar("Group")
Key = TypeVar("Key")
Value = TypeVar("Value")
GATHER_S: Final = 0.02
LOOKUP_MAX_KEYS: Final = 200


class _Lookup(Generic[Key, Value]):
    """The keys of many requests, and what was found."""

    def __init__(self) -> None:
        self.keys: set[Key] = set()
        self.found: asyncio.Future[Mapping[Key, Value]] = asyncio.get_running_loop().create_future()


class SharedLookups(Generic[Group, Key, Value]):
    """Asks ``ask`` in a thread: for all keys of a group that come within ``gather_s``, ``keys_max`` at once."""

    def __init__(
        self,
        ask: Callable[[Group, Collection[Key]], Mapping[Key, Value]],
        gather_s: float = GATHER_S,
        keys_max: int = LOOKUP_MAX_KEYS,
    ) -> None:
        self._ask = ask
        self._gather_s = gather_s
        self._keys_max = keys_max
        self._open: dict[Group, _Lookup[Key, Value]] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def find(self, group: Group, key: Key) -> Value | None:
        """What was found under a key. Raises as ``ask`` does."""
        lookup = self._open.get(group) or self._begin(group)
        lookup.keys.add(key)
        if len(lookup.keys) >= self._keys_max:
            del self._open[group]
        return (await asyncio.shield(lookup.found)).get(key)

    def _begin(self, group: Group) -> _Lookup[Key, Value]:
        lookup = self._open[group] = _Lookup()
        task = asyncio.create_task(self._answer(group, lookup))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return lookup

    async def _answer(self, group: Group, lookup: _Lookup[Key, Value]) -> None:
        await asyncio.sleep(self._gather_s)
        if self._open.get(group) is lookup:
            del self._open[group]
        try:
            lookup.found.set_result(await asyncio.to_thread(self._ask, group, lookup.keys))
        except Exception as error:  # noqa: BLE001 (whatever it is, those who wait must learn of it)
            lookup.found.set_exception(error)
