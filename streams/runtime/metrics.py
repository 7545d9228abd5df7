"""``/metrics`` of a worker: its counters, its state, its process."""

import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Metric as Family
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from connect.topics import changelog
from streams.runtime import failstop
from streams.runtime.app import App
from streams.runtime.assignment import active_partitions, is_recovered, standby_partitions
from streams.runtime.health import Watchdog
from streams.runtime.table import OffsetTable
from streams.runtime.web import Request, Response, add_page, bytes_response
from telemetry.metrics import worker as metric
from telemetry.metrics.process import register_process

STATES = ("ready", "rebalancing", "recovering")


class MetricsPage:
    """The page, and the metrics of the worker's state."""

    def __init__(self, app: App, watchdog: Watchdog) -> None:
        self.app = app
        self.watchdog = watchdog
        self._failstops = failstop.recorded_stops(app.settings.worker_data)
        self.registry = CollectorRegistry()
        register_process(self.registry)
        app.counters.collectors.append(self.collect)
        self.registry.register(app.counters)
        add_page(app, "/metrics", "metrics", self.page)

    async def page(self, request: Request) -> Response:
        """All metrics, in Prometheus's text format."""
        return bytes_response(generate_latest(self.registry), content_type=CONTENT_TYPE_LATEST)

    def collect(self) -> Iterator[Family]:
        """The state of the worker and of its tables."""
        yield metric.WORKER_STATE.of(metric.WORKER_STATE.state(now=self._state(), states=STATES))
        yield metric.STALLED.one(bool(self.watchdog.problem))
        yield metric.FAILSTOPS.of(self._failstops)
        yield metric.PARTITIONS.of(self._partitions())
        yield metric.RECOVERY_SECONDS.one(self._recovery_s())
        yield metric.TABLE_OFFSET.of(self._offsets())

    def _state(self) -> str:
        if self.app.in_recovery:
            return "recovering"
        return "ready" if is_recovered(self.app) else "rebalancing"

    def _recovery_s(self) -> float:
        tables: Any = self.app.tables
        recovery = tables.recovery
        began, ended = recovery._recovery_started_at, recovery._recovery_ended_at
        if began is None:
            return 0.0
        return float((time.monotonic() if ended is None or ended < began else ended) - began)

    def _partitions(self) -> dict[tuple[str, ...], float]:
        counts: dict[tuple[str, ...], float] = {}
        for tp in self.app.consumer.assignment():
            counts[tp.topic,] = counts.get((tp.topic,), 0) + 1
        return counts

    def _offsets(self) -> dict[tuple[str, ...], float]:
        offsets: dict[tuple[str, ...], float] = {}
        for name, table in self.app.tables.items():
            if isinstance(table, OffsetTable):
                kept = active_partitions(self.app, name) + standby_partitions(self.app, name)
                for partition in kept:
                    mark = table.mark(partition) if table.is_open(partition) else None
                    offsets[name, changelog(name), str(partition)] = 0 if mark is None else mark + 1
        return offsets
