"""Waiting for a change of one record of a table. While nobody waits, a batch pays for one look."""

import asyncio
from collections.abc import Container
from typing import Final

# What a view may ask for.
WAIT_MAX_S: Final = 30.0


class RecordWatches:
    """Who waits for which record, by partition and key."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, bytes], set[asyncio.Event]] = {}

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits."""
        return not self._waiting

    def stored(self, partition: int, keys: Container[bytes]) -> None:
        """Records of these keys have been stored."""
        for place, events in self._waiting.items():
            if place[0] == partition and place[1] in keys:
                for event in events:
                    event.set()

    async def wait(self, partition: int, key: bytes, timeout_s: float) -> None:
        """Return once the record is stored the next time, at the latest after the timeout."""
        event = asyncio.Event()
        waiting = self._waiting.setdefault((partition, key), set())
        waiting.add(event)
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            waiting.discard(event)
            if not waiting:
                self._waiting.pop((partition, key), None)
