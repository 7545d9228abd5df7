"""The metrics of the workers that act on the ledger's outcomes and on changes of rows: search index and mails."""

from typing import Final

from telemetry.metrics.definition import Metrics

INDEXER: Final = Metrics("indexer")
NOTIFICATIONS: Final = Metrics("notifications")

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
