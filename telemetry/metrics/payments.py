"""The exporter's metrics of payments that wait for the ledger or their provider."""

from typing import Final

from telemetry.metrics.definition import Metric, metrics_in

UNFINISHED: Final = Metric(
    "turnstile_payments_unfinished",
    "gauge",
    "exporter",
    "payments that wait for the ledger or their provider, by state",
    ("state",),
)
UNFINISHED_AGE: Final = Metric(
    "turnstile_payments_unfinished_seconds",
    "gauge",
    "exporter",
    "how long the oldest of them has been in its state; 0 if there is none",
    ("state",),
)

METRICS: Final = metrics_in(vars())
