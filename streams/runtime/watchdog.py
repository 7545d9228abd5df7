"""Noticing that a worker lives but does nothing, and ending it, so that whoever supervises it starts another.

Two signs: aiokafka's membership of the group has ended in an error (it logs that and goes on without), or the input
has records for a partition that is owned and ready, and look after look none of them is taken, though the worker does
not say that it waits for a server.
"""

import asyncio
import logging
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP

from streams.runtime.app import App
from streams.runtime.assignment import is_recovered
from streams.runtime.failstop import fail_stop
from tables.errors import TurnstileError

LOOK_S = 5.0
SICK = 6
DEAD = 12

log = logging.getLogger(__name__)


class Stalled(TurnstileError):
    """The worker does not do what it is there for."""


class Pulse:
    """Looks every few seconds. ``sick`` says what is wrong, before the process is ended for it."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.sick = ""
        self._waits: dict[TP, tuple[int, int]] = {}
        app.task(self._watch)

    async def look(self) -> None:
        """Look once. Raises Stalled when it has gone on for too long."""
        self._look_at_membership()
        worst = max([looks for _, looks in (await self._behind()).values()], default=0)
        self.sick = f"the input waits for {worst * LOOK_S:.0f} s" if worst >= SICK else ""
        if self.sick:
            log.error(
                "%s: %s",
                self.sick,
                ", ".join(f"{tp.topic}[{tp.partition}]@{due}" for tp, (due, _) in self._waits.items()),
            )
        if worst >= DEAD:
            raise Stalled(self.sick)

    def _look_at_membership(self) -> None:
        consumer: Any = self.app.consumer
        member = consumer._thread._consumer if consumer._thread else None
        task = getattr(member and member._coordinator, "_coordination_task", None)
        if task is not None and task.done() and not self.app.should_stop:
            self.sick = "the membership of the consumer group has ended"
            raise Stalled(self.sick)

    async def _behind(self) -> dict[TP, tuple[int, int]]:
        """Where records wait: the offset that is due, and in how many looks it was the same."""
        app: Any = self.app
        if not is_recovered(self.app) or app.figures.waiting:
            self._waits = {}
            return self._waits
        waits = {}
        for watch in self.app.watched:
            places = [tp for tp in app.consumer.assignment() if tp.topic == watch.topic]
            begins = await app.consumer.earliest_offsets(*places)
            ends = await app.consumer.highwaters(*places)
            for place in places:
                due = max(watch.due(place.partition) or 0, begins.get(place) or 0)
                if due < (ends.get(place) or 0):
                    before, looks = self._waits.get(place, (-1, 0))
                    waits[place] = (due, looks + 1 if before == due else 0)
        self._waits = waits
        return waits

    async def _watch(self) -> None:
        while not self.app.should_stop:
            await asyncio.sleep(LOOK_S)
            try:
                await asyncio.wait_for(self.look(), LOOK_S)
            except (KafkaError, TimeoutError):
                self._waits = {}
            except Exception as error:  # noqa: BLE001 (without it a worker that does nothing would stay)
                fail_stop("the pulse", error)
