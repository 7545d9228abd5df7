"""Every metric that Turnstile and its servers export. docs/metrics.md is made from it."""

from typing import Final

from telemetry.metrics import api, exporter, process, servers, worker
from telemetry.metrics.definition import Metric

EVERY: Final[tuple[Metric, ...]] = (
    *process.EVERY_PART,
    *api.API,
    *worker.WORKER_AND_API,
    *worker.WORKER,
    *worker.LEDGER,
    *worker.INDEXER,
    *worker.NOTIFICATIONS,
    *exporter.EXPORTER,
    *servers.KAFKA,
    *servers.CONNECT,
    *servers.KAFKA_AND_CONNECT,
    *servers.NODE,
    *servers.ALERTMANAGER,
)
