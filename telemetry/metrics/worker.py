"""The metrics of the workers: those of every role, of the ledger, of the search index and of mails."""

from typing import Final

from telemetry.metrics.definition import Metrics

WORKER_AND_API: Final = Metrics("worker and api")
WORKER: Final = Metrics("worker")
LEDGER: Final = Metrics("ledger")
INDEXER: Final = Metrics("indexer")
NOTIFICATIONS: Final = Metrics("notifications")

UNREADABLE: Final = WORKER_AND_API.counter(
    "turnstile_unreadable_records_total",
    "offsets of a topic that the Kafka client can't decode: dead letters in workers, skipped by the API",
    "topic",
)
WORKER_STATE: Final = WORKER.gauge(
    "turnstile_worker_state", "1 for the worker's current state: ready, rebalancing, or recovering its tables", "state"
)
PARTITIONS: Final = WORKER.gauge(
    "turnstile_worker_partitions", "partitions of a topic that are assigned to the worker", "topic"
)
STALLED: Final = WORKER.gauge("turnstile_worker_stalled", "1 while input waits and the worker makes no progress")
FAILSTOPS: Final = WORKER.counter(
    "turnstile_worker_failstops_total",
    "times that a worker with this data folder stopped itself, by what it was doing and the type of the error",
    "doing",
    "error",
)
RECOVERY_SECONDS: Final = WORKER.gauge(
    "turnstile_recovery_seconds", "duration of the last recovery of the tables, or of the current one"
)
TABLE_OFFSET: Final = WORKER.gauge(
    "turnstile_table_offset",
    "changelog offset up to which the worker's copy of a table, its own or a standby, is complete; "
    "turnstile_topic_end_offset has the end",
    "table",
    "topic",
    "partition",
)
AGENT_DELAY: Final = WORKER.histogram(
    "turnstile_agent_delay_seconds",
    "time from a record's timestamp until an agent has finished with it; for the ledger, the decision's latency",
    "agent",
)
AGENT_BATCHES: Final = WORKER.counter("turnstile_agent_batches_total", "batches that an agent has finished", "agent")
AGENT_SECONDS: Final = WORKER.counter(
    "turnstile_agent_busy_seconds_total",
    "time that an agent has spent on batches, including waiting for others",
    "agent",
)
WAITING_SECONDS: Final = WORKER.gauge(
    "turnstile_waiting_seconds",
    "how long the worker has been waiting for an unavailable server; 0 when it is available again",
    "doing",
)
CHANGELOG_STRANGERS: Final = WORKER.counter(
    "turnstile_changelog_strangers_total",
    "times that a partition's owner found another writer's records in a table's changelog; it overwrote older ones",
    "table",
)
INPUT_LOST: Final = WORKER.counter(
    "turnstile_input_lost_records_total",
    "offsets of an input that were deleted before a worker read them; it continued after them",
    "topic",
)
INDEX_CHANGES: Final = INDEXER.counter(
    "turnstile_index_changes_total",
    "row changes by result: written (or older than the document), below (in the index since it was built), refused",
    "result",
)
MAILS: Final = NOTIFICATIONS.counter(
    "turnstile_mails_total",
    "mails by kind and result: sent, failed (dead letter), later (refused temporarily, or no contact yet), dropped",
    "kind",
    "result",
)
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
