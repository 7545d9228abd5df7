"""The feed of the boards: outcomes are counted as they come, the rest is done only while somebody watches.

One snapshot is made and written down once a second, however many boards there are; each gets the same bytes. The
parts of the pipeline are asked every ASK_EVERY_S in a thread, with time-outs, so a server that hangs holds up nobody.
All else happens in the loop.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, Protocol
from uuid import UUID

import msgspec

from api.board.components import parts, unknown
from api.board.invariants import rules
from api.board.pipeline_state import Facts
from api.board.rates import Pace
from api.board.sale import Row, Selling, decode_told
from api.board.snapshot import Snapshot, frame
from api.board.stock_bounds import Bounds
from api.problems import retry_later

TICK_S: Final = 1.0
ASK_EVERY_S: Final = 5.0
# Older answers are not shown any more.
STALE_S: Final = 20.0
# Somebody may watch without script, whose page asks again and again.
GLANCE_S: Final = 20.0
MOST: Final = 250
# A board begins anew after that, so that it is noticed when its session has ended.
LASTS_S: Final = 600.0
# The ledger writes the kind first; a definition that has changed is no decision on a purchase.
_OUTCOME: Final = b'{"kind":"'
_DEFINITION: Final = b'{"kind":"changed"'

log = logging.getLogger(__name__)


class Sources(Protocol):
    """Where the facts come from; asked in a thread."""

    def facts(self) -> Facts:
        """What every part says now; takes a few seconds at most and raises nothing for a part that does not answer."""

    def rows(self, events: list[UUID]) -> list[Row]:
        """These events and those that sell besides; nothing while PostgreSQL does not answer."""

    def close(self) -> None:
        """Let go of all connections."""


class BoardFeed:
    """All boards of this process."""

    def __init__(self, sources: Sources, clock: Callable[[], float] = time.time) -> None:
        self._sources = sources
        self._clock = clock
        self._pace = Pace()
        self._selling = Selling()
        self._bounds = Bounds()
        self._facts: Facts | None = None
        self._before: Facts | None = None
        self._asked = float("-inf")
        self._asking: asyncio.Task[None] | None = None
        self._boards = 0
        self._glanced = float("-inf")
        self._frame = b""
        self._number = 0  # of the frame; none before the first
        self._ticking: asyncio.Task[None] | None = None
        self._closed = False
        self._news = asyncio.Event()

    def read(self, key: bytes | None, value: bytes | None) -> None:
        """Take in a record of ``ticket-purchase``. Never raises: whoever waits for a purchase must not feel it."""
        if key is None or value is None or not value.startswith(_OUTCOME) or value.startswith(_DEFINITION):
            return
        now = self._clock()
        self._selling.touch(key)
        is_sample = self._pace.count(value, now)
        if not (is_sample or self.is_watched):
            return
        try:
            told = decode_told(value)
        except msgspec.DecodeError:
            return
        if is_sample and not told.repeated:
            self._pace.took(round(1_000 * (now - told.at.timestamp())), now)
        if self.is_watched:
            self._selling.tell(told)
            self._bounds.check(told)

    @property
    def is_watched(self) -> bool:
        """Whether anybody looks at a board."""
        return self._boards > 0 or time.monotonic() < self._glanced + GLANCE_S

    async def glance(self) -> Snapshot:
        """The board as it is now; what had to be asked first comes with a later look."""
        self._glanced = time.monotonic()
        self._wake()
        return self._snapshot()

    def frames(self) -> AsyncIterator[bytes]:
        """In any thread: a server-sent event each second. Refused: busy, when there are too many boards."""
        if self._boards >= MOST:
            raise retry_later("busy", 10, "too many boards are open")
        return self._follow()

    async def close(self) -> None:
        """End all boards."""
        self._closed = True
        self._news.set()
        for task in (self._ticking, self._asking):
            if task is not None:
                await asyncio.wait([task])
        await asyncio.to_thread(self._sources.close)

    async def _follow(self) -> AsyncIterator[bytes]:
        seen = 0
        ends = time.monotonic() + LASTS_S
        with self._watching():
            yield b"retry: 1000\n\n"
            while not self._closed and time.monotonic() < ends:
                if self._number == seen:
                    await self._news.wait()
                else:
                    seen = self._number
                    yield self._frame

    @contextmanager
    def _watching(self) -> Iterator[None]:
        self._boards += 1
        try:
            self._wake()
            yield
        finally:
            self._boards -= 1

    def _wake(self) -> None:
        if (self._ticking is None or self._ticking.done()) and not self._closed:
            self._ticking = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        while self.is_watched and not self._closed:
            if (self._asking is None or self._asking.done()) and time.monotonic() >= self._asked + ASK_EVERY_S:
                self._asked = time.monotonic()
                self._asking = asyncio.create_task(self._ask())
            self._frame = frame(self._snapshot())
            self._number += 1
            news, self._news = self._news, asyncio.Event()
            news.set()
            await asyncio.sleep(TICK_S - time.time() % TICK_S)

    async def _ask(self) -> None:
        """The events first, which answer soonest."""
        try:
            self._selling.know(await asyncio.to_thread(self._sources.rows, self._selling.newest))
            self._before, self._facts = self._facts, await asyncio.to_thread(self._sources.facts)
        except Exception:
            log.exception("the parts of the pipeline could not be asked")

    def _snapshot(self) -> Snapshot:
        now = self._clock()
        at = datetime.fromtimestamp(int(now), UTC)
        pace, events = self._pace.report(now), self._selling.look()
        facts, before = self._fresh(self._facts), self._fresh(self._before)
        drawn = unknown() if facts is None else parts(facts, before)
        known = Facts(at=0.0) if facts is None else facts
        return Snapshot(at, pace, events, drawn, rules(self._bounds, known, drawn), known.letters)

    def _fresh(self, facts: Facts | None) -> Facts | None:
        return facts if facts is not None and time.monotonic() < facts.at + STALE_S else None
