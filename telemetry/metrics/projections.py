"""The metrics of the workers that act on the ledger's outcomes and on changes of rows: search index and mails."""

from typing import Final

from telemetry.metrics.definition import Metric, metrics_in

INDEX_CHANGES: Final = Metric(
    "turnstile_index_changes_total",
    "counter",
    "indexer",
    "row changes by result: written (or older than the document), below (in the index since it was built), refused",
    ("result",),
)
MAILS: Final = Metric(
    "turnstile_mails_total",
    "counter",
    "notifications",
    "mails by kind and result: sent, failed (dead letter), later (refused temporarily, or no contact yet), dropped",
    ("kind", "result"),
)

METRICS: Final = metrics_in(vars())
