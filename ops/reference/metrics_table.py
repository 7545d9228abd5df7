"""``turnstile docs metrics``: docs/metrics.md, made from the definitions. ``--write`` stores it."""

from itertools import groupby
from typing import Final

from ops.reference.generated import ROOT, head_of, page_command
from telemetry.metrics.definition import Metric
from telemetry.metrics.names import EVERY

PAGE: Final = ROOT / "docs" / "metrics.md"
WHERE: Final = {
    "every part": "API, workers and exporter",
    "api": "The API, on `TURNSTILE_API_METRICS_PORT`",
    "worker": "Every worker, on its web port",
    "worker and api": "API and workers",
    "ledger": "Workers of the role `ledger`",
    "indexer": "Workers of the role `indexer`",
    "notifications": "Workers of the role `notifications`",
    "exporter": "The exporter, on `TURNSTILE_EXPORTER_PORT`",
    "kafka": "Kafka's brokers",
    "connect": "Kafka Connect with Debezium",
    "kafka and connect": "Both of these",
    "node": "Hosts, by Prometheus's node exporter (what alerts and dashboards use)",
    "alertmanager": "Alertmanager (what alerts and dashboards use)",
}


def page() -> str:
    """The whole page: what people have written at its top, and the tables."""
    tables = "\n".join(_section(part, list(group)) for part, group in groupby(EVERY, lambda each: each.part))
    return head_of(PAGE, f"## {WHERE[EVERY[0].part]}\n") + tables


def _section(part: str, group: list[Metric]) -> str:
    rows = "".join(f"| `{each.name}` | {each.kind} | {_labels(each)} | {each.help} |\n" for each in group)
    return f"## {WHERE[part]}\n\n| metric | kind | labels | what it is |\n|---|---|---|---|\n{rows}"


def _labels(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels) or "none"


command = page_command("metrics", PAGE, page)
