"""Every metric that Turnstile and its servers export. docs/metrics.md is made from it."""

from typing import Final

from telemetry.metrics import api, capture, kafka, ledger, payments, process, projections, search, servers, worker
from telemetry.metrics.definition import Metric

EVERY: Final[tuple[Metric, ...]] = (
    *process.METRICS,
    *api.METRICS,
    *worker.METRICS,
    *ledger.METRICS,
    *projections.METRICS,
    *kafka.METRICS,
    *capture.METRICS,
    *payments.METRICS,
    *search.METRICS,
    *servers.SERVERS,
    *servers.JVM,
    *servers.HOSTS,
    *servers.ALERTMANAGER,
)
