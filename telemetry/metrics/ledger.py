"""The metrics of the workers of the role ledger."""

from typing import Final

from telemetry.metrics.definition import Metrics

LEDGER: Final = Metrics("ledger")

DECISIONS: Final = LEDGER.counter(
    "turnstile_decisions_total",
    "outcomes published, by kind and reason; a replay after a crash counts them again",
    "outcome",
    "reason",
)
EVENT_TICKETS: Final = LEDGER.gauge(
    "turnstile_event_tickets",
    "tickets of an event by state: offered, held, sold, available; the busiest 20 events of each worker by name, "
    "the rest summed as `other`",
    "event",
    "title",
    "state",
)
OVERCOMMITTED: Final = LEDGER.gauge(
    "turnstile_overcommitted_tickets",
    "tickets held or sold beyond the quantity; only an organizer who lowers the quantity can cause them",
)
BREACHES: Final = LEDGER.counter(
    "turnstile_invariant_breaches_total",
    "ticket types found with negative counts, or oversold without a new definition that explains it",
    "invariant",
)
HOLD_OVERDUE: Final = LEDGER.gauge(
    "turnstile_hold_overdue_seconds", "time since the deadline of the oldest open hold; 0 if none is due"
)
