"""Every metric that Turnstile exports itself. docs/metrics.md is made from it."""

from typing import Final

from telemetry.metrics.definition import Metric

# every part: what the kernel says of the process

PROCESS: Final = (
    Metric("process_cpu_seconds_total", "counter", "every part", "CPU time used"),
    Metric("process_resident_memory_bytes", "gauge", "every part", "memory in use"),
    Metric("process_virtual_memory_bytes", "gauge", "every part", "address space in use"),
    Metric("process_start_time_seconds", "gauge", "every part", "when the process began, in seconds since 1970"),
    Metric("process_open_fds", "gauge", "every part", "open files and connections"),
    Metric("process_max_fds", "gauge", "every part", "how many of them there may be"),
)

# api

HTTP_REQUESTS: Final = Metric(
    "turnstile_http_requests_total",
    "counter",
    "api",
    "requests answered; `route` is the route's pattern, or none; `status` is aborted where the client had gone",
    ("method", "route", "status"),
)
HTTP_SECONDS: Final = Metric(
    "turnstile_http_request_seconds",
    "histogram",
    "api",
    "from a request's head to its answer's last byte",
    ("method", "route"),
)
HTTP_IN_FLIGHT: Final = Metric("turnstile_http_requests_in_flight", "gauge", "api", "requests that are being answered")
PURCHASES_WAITING: Final = Metric(
    "turnstile_purchases_waiting", "gauge", "api", "commands handed in whose decision a request waits for"
)

# every worker, and the API

UNREADABLE: Final = Metric(
    "turnstile_unreadable_records_total",
    "counter",
    "worker and api",
    "offsets of a topic that Kafka's client can't read: set aside as dead letters by workers, passed over by the API",
    ("topic",),
)

# every worker

WORKER_STATE: Final = Metric(
    "turnstile_worker_state",
    "gauge",
    "worker",
    "1 for the state that the worker is in: ready, rebalancing, or recovering its tables",
    ("state",),
)
PARTITIONS: Final = Metric(
    "turnstile_worker_partitions", "gauge", "worker", "partitions of a topic that the worker reads", ("topic",)
)
STALLED: Final = Metric(
    "turnstile_worker_stalled", "gauge", "worker", "1 while input waits and none of it is taken, look after look"
)
FAILSTOPS: Final = Metric(
    "turnstile_worker_failstops_total",
    "counter",
    "worker",
    "times that a worker with this data folder ended itself rather than go on, by what failed and the error's kind",
    ("doing", "error"),
)
RECOVERY_SECONDS: Final = Metric(
    "turnstile_recovery_seconds", "gauge", "worker", "how long the last recovery of tables took, or takes by now"
)
TABLE_OFFSET: Final = Metric(
    "turnstile_table_offset",
    "gauge",
    "worker",
    "changelog offset up to which the worker's own copy of a table is whole; its end is turnstile_topic_end_offset",
    ("table", "topic", "partition"),
)
AGENT_DELAY: Final = Metric(
    "turnstile_agent_delay_seconds",
    "histogram",
    "worker",
    "from a record's timestamp to the end of all that an agent does for it; of the ledger it is the decision's latency",
    ("agent",),
)
AGENT_BATCHES: Final = Metric(
    "turnstile_agent_batches_total", "counter", "worker", "batches that an agent has finished", ("agent",)
)
AGENT_SECONDS: Final = Metric(
    "turnstile_agent_busy_seconds_total",
    "counter",
    "worker",
    "time that an agent had a batch under work, waiting for others included",
    ("agent",),
)
WAITING_SECONDS: Final = Metric(
    "turnstile_waiting_seconds",
    "gauge",
    "worker",
    "for how long a server that is away has been waited for; 0 once it has been and is not",
    ("doing",),
)

CHANGELOG_STRANGERS: Final = Metric(
    "turnstile_changelog_strangers_total",
    "counter",
    "worker",
    "times that the owner of a partition found records in a table's changelog that it had not written; "
    "older ones were written over",
    ("table",),
)
INPUT_LOST: Final = Metric(
    "turnstile_input_lost_records_total",
    "counter",
    "worker",
    "offsets of an input that the log no longer had when a worker began to read it, and went on",
    ("topic",),
)

# the ledger

DECISIONS: Final = Metric(
    "turnstile_decisions_total",
    "counter",
    "ledger",
    "outcomes stored and sent, by what happened and why; a replay after a crash counts them again",
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
    "tickets held or sold beyond the quantity, which only an organizer who lowered it can bring about",
)
BREACHES: Final = Metric(
    "turnstile_invariant_breaches_total",
    "counter",
    "ledger",
    "ticket types seen with more tickets out than there are and no new definition that explains it, or below zero",
    ("invariant",),
)
HOLD_OVERDUE: Final = Metric(
    "turnstile_hold_overdue_seconds", "gauge", "ledger", "how long the deadline of the oldest open hold has passed"
)

# the other roles

INDEX_CHANGES: Final = Metric(
    "turnstile_index_changes_total",
    "counter",
    "indexer",
    "row changes by what became of them: written (or an older one than the index has), below (in the index since it "
    "was built), refused",
    ("result",),
)
MAILS: Final = Metric(
    "turnstile_mails_total",
    "counter",
    "notifications",
    "mails by kind and result: sent, failed (dead letter), later (refused for now, or no contact yet), dropped",
    ("kind", "result"),
)

# the exporter

SOURCE_UP: Final = Metric(
    "turnstile_source_up", "gauge", "exporter", "whether what the exporter asks has answered the last time", ("source",)
)
LAG_RECORDS: Final = Metric(
    "turnstile_consumer_lag_records",
    "gauge",
    "exporter",
    "records of a partition that a role has not acknowledged",
    ("group", "topic", "partition"),
)
LAG_SECONDS: Final = Metric(
    "turnstile_consumer_lag_seconds",
    "gauge",
    "exporter",
    "age of the oldest record that a role has not acknowledged, 0 if there is none",
    ("group", "topic", "partition"),
)
INDEX_LAG: Final = Metric(
    "turnstile_index_lag_seconds",
    "gauge",
    "exporter",
    "age of the oldest row change in Kafka that is not in the search index, 0 if there is none",
)
GROUP_MEMBERS: Final = Metric(
    "turnstile_consumer_members", "gauge", "exporter", "workers of a role that are members of its group", ("group",)
)
TOPIC_END: Final = Metric(
    "turnstile_topic_end_offset", "gauge", "exporter", "offset that the next record will get", ("topic", "partition")
)
STABLE_LAG: Final = Metric(
    "turnstile_partition_stable_lag_records",
    "gauge",
    "exporter",
    "records behind the last stable offset: a transaction is open, and nobody reads them before it ends",
    ("topic", "partition"),
)
TOPIC_KEPT: Final = Metric(
    "turnstile_topic_retention_seconds",
    "gauge",
    "exporter",
    "for how long a topic that a role reads keeps its records; none where it keeps the newest of each key",
    ("topic",),
)
DEAD_LETTERS: Final = Metric(
    "turnstile_dead_letters", "gauge", "exporter", "dead letters that nobody has dealt with", ("consumer",)
)
SLOT_ACTIVE: Final = Metric(
    "turnstile_slot_active", "gauge", "exporter", "whether somebody reads a replication slot", ("slot",)
)
SLOT_LOST: Final = Metric(
    "turnstile_slot_lost",
    "gauge",
    "exporter",
    "whether the slot of a connector is missing, or has lost its log",
    ("slot",),
)
SLOT_RETAINED: Final = Metric(
    "turnstile_slot_retained_bytes",
    "gauge",
    "exporter",
    "write-ahead log that PostgreSQL keeps for a slot",
    ("slot",),
)
SLOT_BEHIND: Final = Metric(
    "turnstile_slot_behind_bytes", "gauge", "exporter", "log that a slot's reader has not confirmed", ("slot",)
)
CONNECTOR_STATE: Final = Metric(
    "turnstile_connector_state",
    "gauge",
    "exporter",
    "1 for the state that a connector is in",
    ("connector", "state"),
)
TASK_STATE: Final = Metric(
    "turnstile_connector_task_state",
    "gauge",
    "exporter",
    "1 for the state that a connector's task is in",
    ("connector", "task", "state"),
)
CAPTURE_AGE: Final = Metric(
    "turnstile_capture_age_seconds",
    "gauge",
    "exporter",
    "how long ago the newest row was written that has come through a connector; each writes one every ten seconds",
    ("connector",),
)
OUTBOX_AGE: Final = Metric(
    "turnstile_outbox_age_seconds",
    "gauge",
    "exporter",
    "age of the oldest announcement that may still be on its way from the outbox to Kafka, 0 if there is none",
)
OUTBOX_ROWS: Final = Metric("turnstile_outbox_rows", "gauge", "exporter", "rows in the outbox")
DATABASE_BYTES: Final = Metric("turnstile_database_bytes", "gauge", "exporter", "size of the database")
DATABASE_CONNECTIONS: Final = Metric(
    "turnstile_database_connections", "gauge", "exporter", "connections to the database by state", ("state",)
)
OLDEST_TRANSACTION: Final = Metric(
    "turnstile_database_oldest_transaction_seconds", "gauge", "exporter", "age of the oldest open transaction"
)

# what the servers tell of themselves, through the agent in their Java: ops/prometheus/jmx-*.yml chooses it

SERVERS: Final = (
    Metric("kafka_broker_messages_in_total", "counter", "kafka", "records appended", ("topic",)),
    Metric("kafka_broker_bytes_in_total", "counter", "kafka", "bytes appended", ("topic",)),
    Metric("kafka_broker_bytes_out_total", "counter", "kafka", "bytes read", ("topic",)),
    Metric("kafka_broker_failed_produce_requests_total", "counter", "kafka", "appends that failed"),
    Metric("kafka_broker_failed_fetch_requests_total", "counter", "kafka", "reads that failed"),
    Metric("kafka_broker_under_replicated_partitions", "gauge", "kafka", "partitions that lack a replica in sync"),
    Metric("kafka_broker_under_min_isr_partitions", "gauge", "kafka", "partitions that take no acknowledged records"),
    Metric("kafka_broker_partitions", "gauge", "kafka", "partitions that the broker has"),
    Metric("kafka_broker_request_handler_idle_ratio", "gauge", "kafka", "share of time that request handlers are idle"),
    Metric("kafka_controller_offline_partitions", "gauge", "kafka", "partitions without a leader"),
    Metric("kafka_controller_active", "gauge", "kafka", "1 at the controller that is in charge"),
    Metric("kafka_broker_request_mean_milliseconds", "gauge", "kafka", "time of a request, on average", ("request",)),
    Metric("kafka_broker_request_p99_milliseconds", "gauge", "kafka", "time of a request, 99 of 100", ("request",)),
    Metric("kafka_broker_log_bytes", "gauge", "kafka", "size of a partition on disk", ("topic", "partition")),
    Metric(
        "debezium_behind_source_seconds",
        "gauge",
        "connect",
        "from the last captured change's commit to its capture",
        ("connector",),
    ),
    Metric("debezium_since_last_event_seconds", "gauge", "connect", "since the last captured change", ("connector",)),
    Metric("debezium_events_total", "counter", "connect", "changes captured", ("connector",)),
    Metric("debezium_erroneous_events_total", "counter", "connect", "changes that could not be read", ("connector",)),
    Metric("debezium_queue_free", "gauge", "connect", "changes that still fit the connector's queue", ("connector",)),
    Metric("debezium_connected", "gauge", "connect", "whether the connector has its connection", ("connector",)),
    Metric("debezium_snapshot_running", "gauge", "connect", "whether a snapshot is being taken", ("connector",)),
    Metric("connect_source_records_total", "counter", "connect", "records written to Kafka", ("connector", "task")),
    Metric("connect_source_records_active", "gauge", "connect", "records on their way to Kafka", ("connector", "task")),
    Metric("connect_record_failures_total", "counter", "connect", "records that failed", ("connector", "task")),
    Metric("connect_retries_total", "counter", "connect", "attempts repeated", ("connector", "task")),
)
JVM: Final = (
    Metric("jvm_memory_used_bytes", "gauge", "kafka and connect", "memory of the Java machine in use", ("area",)),
    Metric("jvm_memory_max_bytes", "gauge", "kafka and connect", "how much of it there may be", ("area",)),
    Metric("jvm_threads_current", "gauge", "kafka and connect", "threads"),
)

OWN: Final[tuple[Metric, ...]] = tuple(each for each in vars().values() if isinstance(each, Metric))
EVERY: Final[tuple[Metric, ...]] = (*PROCESS, *OWN, *SERVERS, *JVM)
