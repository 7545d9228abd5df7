"""The changes of which seats are taken, as server-sent events: a look a second for all streams that know the same."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

from api.problems import Unavailable, retry_later
from api.schemas.seating import Seats
from api.web.wsgi_threads import look_in_thread

STREAMS_MAX: Final = 200
FULL_RETRY_AFTER_S: Final = 10
EVERYTHING: Final = -1


class SeatFeedTimes(NamedTuple):
    """Seconds between two looks, until something is sent even if nothing has changed, and until a stream ends."""

    look_s: float = 1.0
    quiet_s: float = 15.0
    stream_s: float = 600.0


TIMES: Final = SeatFeedTimes()


class SeatFeed:
    """All streams of this process. ``look`` tells which seats of an event changed since an offset, in a thread."""

    def __init__(
        self,
        look: Callable[[UUID, int], Seats | None],
        times: SeatFeedTimes = TIMES,
        streams_max: int = STREAMS_MAX,
    ) -> None:
        self._look = look
        self._times = times
        self._streams_max = streams_max
        self._streams = 0
        # By event and offset: when it began (s).
        self._looks: dict[tuple[UUID, int], tuple[float, asyncio.Task[Seats | None]]] = {}

    def follow(self, event: UUID, since: int) -> AsyncIterator[bytes]:
        """In any thread: an event now, and one for each change. Refused: busy, if there are too many streams."""
        if self._streams >= self._streams_max:
            raise retry_later("busy", FULL_RETRY_AFTER_S, "too many follow the seats")
        return self._follow(event, since)

    async def _follow(self, event: UUID, since: int) -> AsyncIterator[bytes]:
        began_s = sent_s = time.monotonic()
        self._streams += 1
        try:
            seen: Seats | None = None
            while (now_s := time.monotonic()) < began_s + self._times.stream_s:
                found = await self._news(event, since, seen)
                if found is not None and found != seen:
                    # A client that connects again goes on from this id.
                    yield b"id: %d\ndata: %b\n\n" % (found.offset, found.model_dump_json(by_alias=True).encode())
                    seen, since, sent_s = found, found.offset, now_s
                elif now_s >= sent_s + self._times.quiet_s:
                    yield b":\n\n"
                    sent_s = now_s
                await asyncio.sleep(self._times.look_s)
        finally:
            self._streams -= 1

    async def _news(self, event: UUID, since: int, seen: Seats | None) -> Seats | None:
        """What has changed; everything under another plan; None while PostgreSQL does not answer."""
        try:
            found = await self._shared_look(event, since)
            if found is not None and seen is not None and found.plan != seen.plan:
                found = await self._shared_look(event, EVERYTHING)
        except Unavailable:
            return None
        return found

    async def _shared_look(self, event: UUID, since: int) -> Seats | None:
        """What a look finds that another stream began just now, or else a new one."""
        now_s = time.monotonic()
        self._looks = {key: look for key, look in self._looks.items() if now_s < look[0] + self._times.look_s}
        if (event, since) not in self._looks:
            looking = asyncio.create_task(look_in_thread(partial(self._look, event, since)))
            looking.add_done_callback(_note_error)
            self._looks[event, since] = now_s, looking
        return await asyncio.shield(self._looks[event, since][1])


def _note_error(looking: asyncio.Task[Seats | None]) -> None:
    """An error that no stream waits for any more is nobody's."""
    if not looking.cancelled():
        looking.exception()
