"""The exporter's metrics of Kafka: lag, consumer groups, topics, dead letters."""

from typing import Final

from telemetry.metrics.definition import Metric, metrics_in

SOURCE_UP: Final = Metric(
    "turnstile_source_up",
    "gauge",
    "exporter",
    "1 if the exporter's last query of a source succeeded, else 0",
    ("source",),
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
    "age of the oldest record that a role has not acknowledged; 0 if there is none",
    ("group", "topic", "partition"),
)
INDEX_LAG: Final = Metric(
    "turnstile_index_lag_seconds",
    "gauge",
    "exporter",
    "age of the oldest row change in Kafka that is not in the search index; 0 if there is none",
)
GROUP_MEMBERS: Final = Metric(
    "turnstile_consumer_members", "gauge", "exporter", "members of a role's consumer group", ("group",)
)
WORKERS_WANTED: Final = Metric(
    "turnstile_ledger_workers_wanted",
    "gauge",
    "exporter",
    "workers that the role ledger is meant to have (TURNSTILE_LEDGER_WORKERS)",
)
COPIES_WANTED: Final = Metric(
    "turnstile_ledger_copies_wanted",
    "gauge",
    "exporter",
    "copies that a partition of the ledger's table is meant to have: its owner's, and the standbys of so many workers",
)
TOPIC_END: Final = Metric(
    "turnstile_topic_end_offset",
    "gauge",
    "exporter",
    "offset of the next record to be appended",
    ("topic", "partition"),
)
STABLE_LAG: Final = Metric(
    "turnstile_partition_stable_lag_records",
    "gauge",
    "exporter",
    "records after the last stable offset: consumers can't read them until an open transaction ends",
    ("topic", "partition"),
)
TOPIC_KEPT: Final = Metric(
    "turnstile_topic_retention_seconds",
    "gauge",
    "exporter",
    "retention time of a topic that a role reads; compacted topics have none",
    ("topic",),
)
DEAD_LETTERS: Final = Metric(
    "turnstile_dead_letters", "gauge", "exporter", "dead letters that are still open", ("consumer",)
)

METRICS: Final = metrics_in(vars())
