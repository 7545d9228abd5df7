"""The exporter's metrics of Elasticsearch."""

from typing import Final

from telemetry.metrics.definition import Metric, metrics_in

SEARCH_STATUS: Final = Metric(
    "turnstile_search_status",
    "gauge",
    "exporter",
    "1 for the current health of the Elasticsearch cluster: green, yellow (replicas are missing) or red (data is)",
    ("status",),
)

METRICS: Final = metrics_in(vars())
