"""A worker's health: a watchdog that ends a worker without progress, and the pages ``/health/live`` and ``ready``.

The watchdog sees two signs: one of aiokafka's tasks has ended in an error, which aiokafka only logs; or an owned
partition has input and its next offset doesn't move, though nothing waits for a server. While an agent has a batch of
the topic that is no sign, except for guarded topics, whose batches take no longer than a fetch. A worker without
progress is reported unhealthy after 30 s and ends itself after 60 s, so that its supervisor starts another.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP

from streams.runtime.app import App
from streams.runtime.assignment import is_recovered
from streams.runtime.failstop import fail_stop
from streams.runtime.web import Request, Response, add_page, json_response
from tables.errors import TurnstileError

CHECK_INTERVAL_S = 5.0
UNHEALTHY_CHECKS = 6
DEAD_CHECKS = 12

log = logging.getLogger(__name__)


class Stalled(TurnstileError):
    """The worker makes no progress."""


class Watchdog:
    """Checks for progress every few seconds. ``problem`` says what is wrong, empty while nothing is."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.problem = ""
        # By partition, its next offset and the number of checks since that moved.
        self._stuck: dict[TP, tuple[int, int]] = {}
        app.task(self._run)

    async def check(self) -> None:
        """Check once. Raises Stalled where the process is to end."""
        self._check_clients()
        worst = max([checks for _, checks in (await self._update()).values()], default=0)
        self.problem = f"no progress for {worst * CHECK_INTERVAL_S:.0f} s" if worst >= UNHEALTHY_CHECKS else ""
        if self.problem:
            where = ", ".join(f"{tp.topic}[{tp.partition}]@{offset}" for tp, (offset, _) in self._stuck.items())
            log.error("%s: %s", self.problem, where)
        if worst >= DEAD_CHECKS:
            raise Stalled(self.problem)

    def _check_clients(self) -> None:
        ended = [name for name, task in self._client_tasks() if task is not None and task.done()]
        if ended and not self.app.should_stop:
            self.problem = f"{ended[0]} has ended"
            raise Stalled(self.problem)

    def _client_tasks(self) -> Iterator[tuple[str, Any]]:
        """What aiokafka does all the time for the worker's consumer and producer, as far as they have begun."""
        consumer: Any = self.app.consumer
        producer: Any = self.app.producer
        reading = consumer._thread and consumer._thread._consumer
        if reading and reading._fetcher:
            yield "the membership of the consumer group", getattr(reading._coordinator, "_coordination_task", None)
            yield "the fetching of records", reading._fetcher._fetch_task
            yield "the consumer's update of metadata", reading._client._sync_task
        if (writing := producer._producer) is not None:
            yield "the sending of records", writing._sender.sender_task
            yield "the producer's update of metadata", writing.client._sync_task

    async def _update(self) -> dict[TP, tuple[int, int]]:
        app: Any = self.app
        if not is_recovered(self.app) or app.counters.is_waiting:
            self._stuck = {}
            return self._stuck
        due = {tp: app.consumer.next_offset(tp) or 0 for tp in app.consumer.inputs()}
        ends = await app.consumer.highwaters(*due)
        behind = [tp for tp, offset in due.items() if offset < (ends.get(tp) or 0)]
        begins = await app.consumer.earliest_offsets(*behind)
        stuck = {}
        for tp in behind:
            if (begins.get(tp) or 0) < ends[tp]:  # what is between them was not deleted
                before, checks = self._stuck.get(tp, (-1, 0))
                counts = tp.topic in app.guarded or not app.in_flight.has(tp.topic)
                stuck[tp] = (due[tp], checks + counts if before == due[tp] else 0)
        self._stuck = stuck
        return stuck

    async def _run(self) -> None:
        while not self.app.should_stop:
            await asyncio.sleep(CHECK_INTERVAL_S)
            try:
                async with asyncio.timeout(CHECK_INTERVAL_S):
                    await self.check()
            except (KafkaError, TimeoutError):
                self._stuck = {}
            except Exception as error:  # noqa: BLE001 (a worker without a watchdog could hang forever)
                fail_stop("the watchdog", error)


class HealthPages:
    """The two pages for a supervisor."""

    def __init__(self, app: App, watchdog: Watchdog) -> None:
        self.app = app
        self.watchdog = watchdog
        add_page(app, "/health/live", "live", self.live)
        add_page(app, "/health/ready", "ready", self.ready)

    async def live(self, request: Request) -> Response:
        """200 while the process makes progress where it has input, else 503."""
        problem = self.watchdog.problem
        return json_response({"status": problem or "live"}, status=503 if problem else 200)

    async def ready(self, request: Request) -> Response:
        """200 once the tables are recovered and partitions are read, else 503."""
        ready = is_recovered(self.app) and bool(self.app.consumer.assignment())
        return json_response({"status": "ready" if ready else "recovering"}, status=200 if ready else 503)
