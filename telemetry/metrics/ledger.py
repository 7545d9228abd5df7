"""The metrics of the workers of the role ledger."""

from typing import Final

from telemetry.metrics.definition import Metric, metrics_in

DECISIONS: Final = Metric(
    "turnstile_decisions_total",
    "counter",
    "ledger",
    "outcomes published, by kind and reason; a replay after a crash counts them again",
    ("outcome", "reason"),
)
EVENT_TICKETS: Final = Metric(
    "turnstile_event_tickets",
    "gauge",
    "ledger",
    "tickets of an event by state: offered, held, sold, available; the busiest 20 events of each worker by name, "
    "the rest summed as `other`",
    ("event", "title", "state"),
)
OVERCOMMITTED: Final = Metric(
    "turnstile_overcommitted_tickets",
    "gauge",
    "ledger",
    "tickets held or sold beyond the quantity; only an organizer who lowers the quantity can cause them",
)
BREACHES: Final = Metric(
    "turnstile_invariant_breaches_total",
    "counter",
    "ledger",
    "ticket types found with negative counts, or oversold without a new definition that explains it",
    ("invariant",),
)
HOLD_OVERDUE: Final = Metric(
    "turnstile_hold_overdue_seconds",
    "gauge",
    "ledger",
    "time since the deadline of the oldest open hold; 0 if none is due",
)

METRICS: Final = metrics_in(vars())
