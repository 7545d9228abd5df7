"""The exporter's metrics of the capture of changes: PostgreSQL, its replication slots, the connectors, the outbox."""

from typing import Final

from telemetry.metrics.definition import Metric, metrics_in

SLOT_ACTIVE: Final = Metric(
    "turnstile_slot_active", "gauge", "exporter", "1 if a replication slot has a reader, else 0", ("slot",)
)
SLOT_LOST: Final = Metric(
    "turnstile_slot_lost",
    "gauge",
    "exporter",
    "1 if a connector's slot is missing or has lost its log, else 0",
    ("slot",),
)
SLOT_RETAINED: Final = Metric(
    "turnstile_slot_retained_bytes",
    "gauge",
    "exporter",
    "write-ahead log that PostgreSQL retains for a slot",
    ("slot",),
)
SLOT_BEHIND: Final = Metric(
    "turnstile_slot_behind_bytes",
    "gauge",
    "exporter",
    "write-ahead log that a slot's reader has not confirmed",
    ("slot",),
)
CONNECTOR_STATE: Final = Metric(
    "turnstile_connector_state",
    "gauge",
    "exporter",
    "1 for a connector's current state",
    ("connector", "state"),
)
TASK_STATE: Final = Metric(
    "turnstile_connector_task_state",
    "gauge",
    "exporter",
    "1 for the current state of a connector's task",
    ("connector", "task", "state"),
)
CAPTURE_AGE: Final = Metric(
    "turnstile_capture_age_seconds",
    "gauge",
    "exporter",
    "age of the newest row that has arrived through a connector; a heartbeat row is written every ten seconds",
    ("connector",),
)
OUTBOX_AGE: Final = Metric(
    "turnstile_outbox_age_seconds",
    "gauge",
    "exporter",
    "age of the oldest outbox row that may not have reached Kafka; 0 if there is none",
)
OUTBOX_ROWS: Final = Metric("turnstile_outbox_rows", "gauge", "exporter", "rows in the outbox")
DATABASE_BYTES: Final = Metric("turnstile_database_bytes", "gauge", "exporter", "size of the database")
DATABASE_CONNECTIONS: Final = Metric(
    "turnstile_database_connections", "gauge", "exporter", "connections to the database by state", ("state",)
)
OLDEST_TRANSACTION: Final = Metric(
    "turnstile_database_oldest_transaction_seconds",
    "gauge",
    "exporter",
    "age of the oldest open or prepared transaction",
)
DEFINITION_DIFFERENCES: Final = Metric(
    "turnstile_definition_differences",
    "gauge",
    "exporter",
    "fields in which the ledger has sold an event otherwise than PostgreSQL says, for longer than a change takes; "
    'events beyond the first 20 are counted as "other"',
    ("event",),
)

METRICS: Final = metrics_in(vars())
