"""The metrics that servers export.

Kafka and Kafka Connect export theirs through the JMX agent; ops/prometheus/jmx-*.yml selects them. Of hosts
(Prometheus's node exporter) and of Alertmanager these are only those that alerts and dashboards use.
"""

from typing import Final

from telemetry.metrics.definition import Metric

SERVERS: Final = (
    Metric("kafka_broker_messages_in_total", "counter", "kafka", "records appended", ("topic",)),
    Metric("kafka_broker_bytes_in_total", "counter", "kafka", "bytes appended", ("topic",)),
    Metric("kafka_broker_bytes_out_total", "counter", "kafka", "bytes read", ("topic",)),
    Metric("kafka_broker_failed_produce_requests_total", "counter", "kafka", "failed produce requests"),
    Metric("kafka_broker_failed_fetch_requests_total", "counter", "kafka", "failed fetch requests"),
    Metric("kafka_broker_under_replicated_partitions", "gauge", "kafka", "partitions with a replica out of sync"),
    Metric("kafka_broker_under_min_isr_partitions", "gauge", "kafka", "partitions with too few replicas for acks=all"),
    Metric("kafka_broker_partitions", "gauge", "kafka", "partitions of the broker"),
    Metric("kafka_broker_request_handler_idle_ratio", "gauge", "kafka", "share of time that request handlers are idle"),
    Metric("kafka_controller_offline_partitions", "gauge", "kafka", "partitions without a leader"),
    Metric("kafka_controller_active", "gauge", "kafka", "1 for the active controller"),
    Metric("kafka_broker_request_mean_milliseconds", "gauge", "kafka", "mean time of a request", ("request",)),
    Metric("kafka_broker_request_p99_milliseconds", "gauge", "kafka", "99th percentile of a request", ("request",)),
    Metric("kafka_broker_log_bytes", "gauge", "kafka", "size of a partition on disk", ("topic", "partition")),
    Metric(
        "debezium_behind_source_seconds",
        "gauge",
        "connect",
        "time from the commit of the last captured change to its capture",
        ("connector",),
    ),
    Metric(
        "debezium_since_last_event_seconds", "gauge", "connect", "time since the last captured change", ("connector",)
    ),
    Metric("debezium_events_total", "counter", "connect", "captured changes", ("connector",)),
    Metric(
        "debezium_erroneous_events_total", "counter", "connect", "changes that could not be decoded", ("connector",)
    ),
    Metric(
        "debezium_queue_free", "gauge", "connect", "free places in the connector's queue of changes", ("connector",)
    ),
    Metric("debezium_connected", "gauge", "connect", "1 if the connector is connected to PostgreSQL", ("connector",)),
    Metric("debezium_snapshot_running", "gauge", "connect", "1 while the connector takes a snapshot", ("connector",)),
    Metric("connect_source_records_total", "counter", "connect", "records written to Kafka", ("connector", "task")),
    Metric(
        "connect_source_records_active", "gauge", "connect", "records not yet written to Kafka", ("connector", "task")
    ),
    Metric("connect_record_failures_total", "counter", "connect", "failed records", ("connector", "task")),
    Metric("connect_retries_total", "counter", "connect", "retried operations", ("connector", "task")),
)
HOST_LABELS: Final = ("device", "fstype", "mountpoint")
HOSTS: Final = (
    Metric("node_filesystem_avail_bytes", "gauge", "node", "free space of a file system", HOST_LABELS),
    Metric("node_filesystem_size_bytes", "gauge", "node", "size of a file system", HOST_LABELS),
    Metric("node_memory_MemAvailable_bytes", "gauge", "node", "memory of the host that can still be given out"),
    Metric("node_memory_MemTotal_bytes", "gauge", "node", "memory of the host"),
)
ALERTMANAGER: Final = (
    Metric(
        "alertmanager_notifications_failed_total",
        "counter",
        "alertmanager",
        "messages about alerts that could not be sent, by the way they were to be sent",
        ("integration",),
    ),
    Metric(
        "alertmanager_notifications_total",
        "counter",
        "alertmanager",
        "messages about alerts, by the way they were sent",
        ("integration",),
    ),
)
JVM: Final = (
    Metric("jvm_memory_used_bytes", "gauge", "kafka and connect", "used memory of the JVM", ("area",)),
    Metric("jvm_memory_max_bytes", "gauge", "kafka and connect", "maximum memory of the JVM", ("area",)),
    Metric("jvm_threads_current", "gauge", "kafka and connect", "threads of the JVM"),
)
