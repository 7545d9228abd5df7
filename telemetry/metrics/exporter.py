"""The exporter's metrics: of Kafka, of the capture of changes, of unfinished payments, of Elasticsearch."""

from typing import Final

from telemetry.metrics.definition import Metrics

EXPORTER: Final = Metrics("exporter")

SOURCE_UP: Final = EXPORTER.gauge(
    "turnstile_source_up",
    "1 if the exporter's last query of a source succeeded, less than two minutes ago, else 0",
    "source",
)
LAG_RECORDS: Final = EXPORTER.gauge(
    "turnstile_consumer_lag_records",
    "records of a partition that a role has not acknowledged",
    "group",
    "topic",
    "partition",
)
LAG_SECONDS: Final = EXPORTER.gauge(
    "turnstile_consumer_lag_seconds",
    "age of the oldest record that a role has not acknowledged; 0 if there is none",
    "group",
    "topic",
    "partition",
)
INDEX_LAG: Final = EXPORTER.gauge(
    "turnstile_index_lag_seconds",
    "age of the oldest row change in Kafka that is not in the search index; 0 if there is none",
)
GROUP_MEMBERS: Final = EXPORTER.gauge("turnstile_consumer_members", "members of a role's consumer group", "group")
WORKERS_WANTED: Final = EXPORTER.gauge(
    "turnstile_ledger_workers_wanted", "workers that the role ledger is meant to have (TURNSTILE_LEDGER_WORKERS)"
)
COPIES_WANTED: Final = EXPORTER.gauge(
    "turnstile_ledger_copies_wanted",
    "copies that a partition of the ledger's table is meant to have: its owner's, and the standbys of so many workers",
)
TOPIC_END: Final = EXPORTER.gauge(
    "turnstile_topic_end_offset", "offset of the next record to be appended", "topic", "partition"
)
STABLE_LAG: Final = EXPORTER.gauge(
    "turnstile_partition_stable_lag_records",
    "records after the last stable offset: consumers can't read them until an open transaction ends",
    "topic",
    "partition",
)
TOPIC_KEPT: Final = EXPORTER.gauge(
    "turnstile_topic_retention_seconds",
    "retention time of a topic that a role reads; compacted topics have none",
    "topic",
)
DEAD_LETTERS: Final = EXPORTER.gauge("turnstile_dead_letters", "dead letters that are still open", "consumer")
SLOT_ACTIVE: Final = EXPORTER.gauge("turnstile_slot_active", "1 if a replication slot has a reader, else 0", "slot")
SLOT_LOST: Final = EXPORTER.gauge(
    "turnstile_slot_lost", "1 if a connector's slot is missing or has lost its log, else 0", "slot"
)
SLOT_RETAINED: Final = EXPORTER.gauge(
    "turnstile_slot_retained_bytes", "write-ahead log that PostgreSQL retains for a slot", "slot"
)
SLOT_BEHIND: Final = EXPORTER.gauge(
    "turnstile_slot_behind_bytes", "write-ahead log that a slot's reader has not confirmed", "slot"
)
CONNECTOR_STATE: Final = EXPORTER.gauge(
    "turnstile_connector_state", "1 for a connector's current state", "connector", "state"
)
TASK_STATE: Final = EXPORTER.gauge(
    "turnstile_connector_task_state", "1 for the current state of a connector's task", "connector", "task", "state"
)
CAPTURE_AGE: Final = EXPORTER.gauge(
    "turnstile_capture_age_seconds",
    "age of the newest row that has arrived through a connector; a heartbeat row is written every ten seconds",
    "connector",
)
OUTBOX_AGE: Final = EXPORTER.gauge(
    "turnstile_outbox_age_seconds", "age of the oldest outbox row that may not have reached Kafka; 0 if there is none"
)
OUTBOX_ROWS: Final = EXPORTER.gauge("turnstile_outbox_rows", "rows in the outbox")
DATABASE_BYTES: Final = EXPORTER.gauge("turnstile_database_bytes", "size of the database")
DATABASE_CONNECTIONS: Final = EXPORTER.gauge(
    "turnstile_database_connections", "connections to the database by state", "state"
)
OLDEST_TRANSACTION: Final = EXPORTER.gauge(
    "turnstile_database_oldest_transaction_seconds", "age of the oldest open or prepared transaction"
)
DEFINITION_DIFFERENCES: Final = EXPORTER.gauge(
    "turnstile_definition_differences",
    "fields in which the ledger has sold an event otherwise than PostgreSQL says, for longer than a change takes; "
    'events beyond the first 20 are counted as "other"',
    "event",
)
UNFINISHED: Final = EXPORTER.gauge(
    "turnstile_payments_unfinished", "payments that wait for the ledger or their provider, by state", "state"
)
UNFINISHED_AGE: Final = EXPORTER.gauge(
    "turnstile_payments_unfinished_seconds",
    "how long the oldest of them has been in its state; 0 if there is none",
    "state",
)
SEARCH_STATUS: Final = EXPORTER.gauge(
    "turnstile_search_status",
    "1 for the current health of the Elasticsearch cluster: green, yellow (replicas are missing) or red (data is)",
    "status",
)
