"""The metrics of every worker, whatever its role."""

from typing import Final

from telemetry.metrics.definition import Metric, metrics_in

UNREADABLE: Final = Metric(
    "turnstile_unreadable_records_total",
    "counter",
    "worker and api",
    "offsets of a topic that the Kafka client can't decode: dead letters in workers, skipped by the API",
    ("topic",),
)
WORKER_STATE: Final = Metric(
    "turnstile_worker_state",
    "gauge",
    "worker",
    "1 for the worker's current state: ready, rebalancing, or recovering its tables",
    ("state",),
)
PARTITIONS: Final = Metric(
    "turnstile_worker_partitions",
    "gauge",
    "worker",
    "partitions of a topic that are assigned to the worker",
    ("topic",),
)
STALLED: Final = Metric(
    "turnstile_worker_stalled", "gauge", "worker", "1 while input waits and the worker makes no progress"
)
FAILSTOPS: Final = Metric(
    "turnstile_worker_failstops_total",
    "counter",
    "worker",
    "times that a worker with this data folder stopped itself, by what it was doing and the type of the error",
    ("doing", "error"),
)
RECOVERY_SECONDS: Final = Metric(
    "turnstile_recovery_seconds",
    "gauge",
    "worker",
    "duration of the last recovery of the tables, or of the current one",
)
TABLE_OFFSET: Final = Metric(
    "turnstile_table_offset",
    "gauge",
    "worker",
    "changelog offset up to which the worker's copy of a table, its own or a standby, is complete; "
    "turnstile_topic_end_offset has the end",
    ("table", "topic", "partition"),
)
AGENT_DELAY: Final = Metric(
    "turnstile_agent_delay_seconds",
    "histogram",
    "worker",
    "time from a record's timestamp until an agent has finished with it; for the ledger, the decision's latency",
    ("agent",),
)
AGENT_BATCHES: Final = Metric(
    "turnstile_agent_batches_total", "counter", "worker", "batches that an agent has finished", ("agent",)
)
AGENT_SECONDS: Final = Metric(
    "turnstile_agent_busy_seconds_total",
    "counter",
    "worker",
    "time that an agent has spent on batches, including waiting for others",
    ("agent",),
)
WAITING_SECONDS: Final = Metric(
    "turnstile_waiting_seconds",
    "gauge",
    "worker",
    "how long the worker has been waiting for an unavailable server; 0 when it is available again",
    ("doing",),
)
CHANGELOG_STRANGERS: Final = Metric(
    "turnstile_changelog_strangers_total",
    "counter",
    "worker",
    "times that a partition's owner found another writer's records in a table's changelog; it overwrote older ones",
    ("table",),
)
INPUT_LOST: Final = Metric(
    "turnstile_input_lost_records_total",
    "counter",
    "worker",
    "offsets of an input that were deleted before a worker read them; it continued after them",
    ("topic",),
)

METRICS: Final = metrics_in(vars())
