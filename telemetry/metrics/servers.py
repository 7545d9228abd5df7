"""The metrics that servers export.

Kafka and Kafka Connect export theirs through the JMX agent; ops/prometheus/jmx-*.yml selects them. Of hosts
(Prometheus's node exporter) and of Alertmanager these are only those that alerts and dashboards use.
"""

from typing import Final

from telemetry.metrics.definition import Metrics

KAFKA: Final = Metrics("kafka")
KAFKA.counter("kafka_broker_messages_in_total", "records appended", "topic")
KAFKA.counter("kafka_broker_bytes_in_total", "bytes appended", "topic")
KAFKA.counter("kafka_broker_bytes_out_total", "bytes read", "topic")
KAFKA.counter("kafka_broker_failed_produce_requests_total", "failed produce requests")
KAFKA.counter("kafka_broker_failed_fetch_requests_total", "failed fetch requests")
KAFKA.gauge("kafka_broker_under_replicated_partitions", "partitions with a replica out of sync")
KAFKA.gauge("kafka_broker_under_min_isr_partitions", "partitions with too few replicas for acks=all")
KAFKA.gauge("kafka_broker_partitions", "partitions of the broker")
KAFKA.gauge("kafka_broker_request_handler_idle_ratio", "share of time that request handlers are idle")
KAFKA.gauge("kafka_controller_offline_partitions", "partitions without a leader")
KAFKA.gauge("kafka_controller_active", "1 for the active controller")
KAFKA.gauge("kafka_broker_request_mean_milliseconds", "mean time of a request", "request")
KAFKA.gauge("kafka_broker_request_p99_milliseconds", "99th percentile of a request", "request")
KAFKA.gauge("kafka_broker_log_bytes", "size of a partition on disk", "topic", "partition")
CONNECT: Final = Metrics("connect")
CONNECT.gauge(
    "debezium_behind_source_seconds", "time from the commit of the last captured change to its capture", "connector"
)
CONNECT.gauge("debezium_since_last_event_seconds", "time since the last captured change", "connector")
CONNECT.counter("debezium_events_total", "captured changes", "connector")
CONNECT.counter("debezium_erroneous_events_total", "changes that could not be decoded", "connector")
CONNECT.gauge("debezium_queue_free", "free places in the connector's queue of changes", "connector")
CONNECT.gauge("debezium_connected", "1 if the connector is connected to PostgreSQL", "connector")
CONNECT.gauge("debezium_snapshot_running", "1 while the connector takes a snapshot", "connector")
CONNECT.counter("connect_source_records_total", "records written to Kafka", "connector", "task")
CONNECT.gauge("connect_source_records_active", "records not yet written to Kafka", "connector", "task")
CONNECT.counter("connect_record_failures_total", "failed records", "connector", "task")
CONNECT.counter("connect_retries_total", "retried operations", "connector", "task")
KAFKA_AND_CONNECT: Final = Metrics("kafka and connect")
KAFKA_AND_CONNECT.gauge("jvm_memory_used_bytes", "used memory of the JVM", "area")
KAFKA_AND_CONNECT.gauge("jvm_memory_max_bytes", "maximum memory of the JVM", "area")
KAFKA_AND_CONNECT.gauge("jvm_threads_current", "threads of the JVM")
HOST_LABELS: Final = ("device", "fstype", "mountpoint")
NODE: Final = Metrics("node")
NODE.gauge("node_filesystem_avail_bytes", "free space of a file system", *HOST_LABELS)
NODE.gauge("node_filesystem_size_bytes", "size of a file system", *HOST_LABELS)
NODE.gauge("node_memory_MemAvailable_bytes", "memory of the host that can still be given out")
NODE.gauge("node_memory_MemTotal_bytes", "memory of the host")
ALERTMANAGER: Final = Metrics("alertmanager")
ALERTMANAGER.counter(
    "alertmanager_notifications_failed_total",
    "messages about alerts that could not be sent, by the way they were to be sent",
    "integration",
)
ALERTMANAGER.counter(
    "alertmanager_notifications_total", "messages about alerts, by the way they were sent", "integration"
)
