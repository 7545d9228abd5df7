"""The feed of the boards: counts all outcomes, and does the rest only while somebody watches.

One snapshot a second is encoded once for all boards of a language. The components of the pipeline are probed every 5 s
in a thread with timeouts, so a server that hangs blocks nobody. Everything else runs in the loop.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol
from uuid import UUID

from api.board.board_text import Said
from api.board.components import components, unknown_components
from api.board.invariants import invariants
from api.board.pipeline_state import PipelineState
from api.board.rates import DecisionRates
from api.board.sale import BoardEvent, SellingEvents, decode_board_outcome
from api.board.snapshot import BoardSnapshot, frame
from api.board.stock_bounds import StockBounds
from api.ports.board import Board
from api.problems import retry_later
from tables.errors import MalformedRecord

BOARDS_MAX: Final = 250
FULL_RETRY_AFTER_S: Final = 10
# The ledger writes the kind first; a changed definition is no decision on a purchase.
_OUTCOME: Final = b'{"kind":"'
_DEFINITION: Final = b'{"kind":"changed"'
_SALES: Final = (b'{"kind":"held"', b'{"kind":"confirmed"')

log = logging.getLogger(__name__)


class Sources(Protocol):
    """Where the state comes from; asked in a thread."""

    def state(self) -> PipelineState:
        """The present state, within a few seconds. Raises nothing for a component that does not answer."""

    def rows(self, events: list[UUID]) -> list[BoardEvent]:
        """These events; nothing while PostgreSQL does not answer."""

    def close(self) -> None:
        """Close all connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedTimes:
    """When a feed does what, in seconds.

    ``stale_s`` is the age at which a state is shown no more. A glance, which is a board without script, counts as a
    watcher for ``glance_s``. A stream ends after ``stream_s``, so that an ended session is noticed.
    """

    tick_s: float = 1.0
    probe_every_s: float = 5.0
    stale_s: float = 20.0
    glance_s: float = 20.0
    stream_s: float = 600.0


class BoardFeed(Board):
    """All boards of this process."""

    def __init__(
        self,
        sources: Sources,
        clock: Callable[[], float] = time.time,
        times: FeedTimes = FeedTimes(),
        boards_max: int = BOARDS_MAX,
    ) -> None:
        self._sources = sources
        self._clock = clock
        self._times = times
        self._boards_max = boards_max
        self._rates = DecisionRates()
        self._selling = SellingEvents()
        self._bounds = StockBounds()
        self._state: PipelineState | None = None
        self._before: PipelineState | None = None
        self._probed_at = float("-inf")
        self._probing: asyncio.Task[None] | None = None
        self._boards = 0
        self._glanced_at = float("-inf")
        self._shown = self._snapshot()
        self._frames: dict[Said, bytes] = {}
        self._frame_number = 0  # 0 before the first frame
        self._ticking: asyncio.Task[None] | None = None
        self._closed = False
        self._next_frame = asyncio.Event()

    def read(self, key: bytes | None, value: bytes | None) -> None:
        """Read a record of ``ticket-purchase``. Never raises, so that the requests that wait get it too."""
        if key is None or value is None or not value.startswith(_OUTCOME) or value.startswith(_DEFINITION):
            return
        now = self._clock()
        if value.startswith(_SALES):
            self._selling.count(key, now)
        is_sample = self._rates.count(value, now)
        if not (is_sample or self.is_watched):
            return
        try:
            outcome = decode_board_outcome(value)
        except MalformedRecord:
            return
        if is_sample and not outcome.repeated:
            self._rates.took(round(1_000 * (now - outcome.at.timestamp())), now)
        if self.is_watched:
            self._selling.update(outcome)
            self._bounds.check(outcome)

    @property
    def is_watched(self) -> bool:
        """Whether anybody watches a board."""
        return self._boards > 0 or time.monotonic() < self._glanced_at + self._times.glance_s

    async def glance(self) -> BoardSnapshot:
        self._glanced_at = time.monotonic()
        self._wake()
        return self._snapshot()

    def frames(self, said: Said) -> AsyncIterator[bytes]:
        """In any thread: a server-sent event each second, as ``said``. Refused: busy, if there are too many boards."""
        if self._boards >= self._boards_max:
            raise retry_later("busy", FULL_RETRY_AFTER_S, "too many boards are open")
        return self._follow(said)

    async def close(self) -> None:
        """End all boards."""
        self._closed = True
        self._next_frame.set()
        for task in (self._ticking, self._probing):
            if task is not None:
                await asyncio.wait([task])
        await asyncio.to_thread(self._sources.close)

    async def _follow(self, said: Said) -> AsyncIterator[bytes]:
        seen = 0
        ends = time.monotonic() + self._times.stream_s
        with self._watching():
            yield b"retry: 1000\n\n"
            while not self._closed and time.monotonic() < ends:
                if self._frame_number == seen:
                    await self._next_frame.wait()
                else:
                    seen = self._frame_number
                    yield self._frame(said)

    def _frame(self, said: Said) -> bytes:
        """The newest frame in a language, encoded once for all boards."""
        if said not in self._frames:
            self._frames[said] = frame(self._shown, said)
        return self._frames[said]

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
            is_idle = self._probing is None or self._probing.done()
            if is_idle and time.monotonic() >= self._probed_at + self._times.probe_every_s:
                self._probed_at = time.monotonic()
                self._probing = asyncio.create_task(self._probe())
            self._shown, self._frames = self._snapshot(), {}
            self._frame_number += 1
            sent, self._next_frame = self._next_frame, asyncio.Event()
            sent.set()
            await asyncio.sleep(self._times.tick_s - time.time() % self._times.tick_s)

    async def _probe(self) -> None:
        """The events first, which come soonest."""
        try:
            selling = self._selling.recent_ids(self._clock())
            self._selling.add_rows(await asyncio.to_thread(self._sources.rows, selling))
            self._before, self._state = self._state, await asyncio.to_thread(self._sources.state)
        except Exception:
            log.exception("the components of the pipeline could not be asked")

    def _snapshot(self) -> BoardSnapshot:
        now = self._clock()
        at = datetime.fromtimestamp(int(now), UTC)
        state, before = self._fresh(self._state), self._fresh(self._before)
        found = unknown_components() if state is None else components(state, before)
        state = state or PipelineState(at=0.0)
        return BoardSnapshot(
            at=at,
            pace=self._rates.report(now),
            events=self._selling.shown(now),
            parts=found,
            rules=invariants(self._bounds, state, found),
            letters=state.dead_letters,
        )

    def _fresh(self, state: PipelineState | None) -> PipelineState | None:
        return state if state is not None and time.monotonic() < state.at + self._times.stale_s else None
