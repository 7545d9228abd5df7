"""``turnstile docs metrics``: docs/metrics.md, made from the definitions. ``--write`` stores it."""

from itertools import groupby
from pathlib import Path
from typing import Final

from ops.reference.generated import page_command
from telemetry.metrics.definition import Metric
from telemetry.metrics.names import EVERY

PAGE: Final = Path(__file__).parents[2] / "docs" / "metrics.md"
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

HEAD: Final = """\
# Metrics

Made from `telemetry/metrics/` by `turnstile docs metrics --write`; a test fails when stale, and
one lets a real Prometheus scrape a running pipeline and finds a value of every metric here.

## Promise

What a part does can be seen without asking it, and looking costs no purchase anything that can be measured.

## Pattern

- **Plain numbers, added to once a batch** (`streams/runtime/counters.py`) or once an answer
  (`api/telemetry/counters.py`); they become metrics when somebody looks. In batches of 2,000 a decision costs 0.4 µs of
  CPU more, of about 45 (with and without, medians of eleven runs); an answer costs the API 0.8 µs, of about 300. Both
  on a busy machine.
- **An answer is counted where it is sent** (`api/http_application.py`), so the fast path of purchases is counted like
  the rest.
- **What belongs to no process of ours the exporter asks**: `python -m ops.exporter`, every five seconds, each source
  by itself. Of one that does not answer nothing is told but `turnstile_source_up 0`.
- **Once a minute it compares 2,000 events** with the ledger's records, the next ones each time, 50 a request to a
  worker's view (promise 9). So of 10,000 events each is looked at every five minutes. An event costs the worker 10 µs
  and a read, the exporter 0.15 ms, on a busy machine. A difference is told a minute or two after it was seen.
- **Kafka and Connect tell of themselves** through Prometheus's own JMX agent; `ops/prometheus/jmx-*.yml` chooses what.
  It costs a server half a second of CPU when it starts, and nothing until it is asked.

## Who may look

**No metrics stand at an address that customers reach.** The API has a listener of its own for them
(`TURNSTILE_API_METRICS_BIND`, `_PORT`), on the loopback unless told otherwise; its public port answers `/metrics` with
404. Workers and exporter listen on the loopback or the pods' network. With containers none of these ports is published.
Titles of events are in the metrics; names, addresses and purchases are not.

## Rules

1. **No metric and no label that is not defined there**; the code can export no other.
2. **Every label has few values.** Events: the busiest 20 of each ledger worker by name, the rest summed as `other`.
   Routes: their patterns. Methods: the seven of HTTP, the rest as `other`.
3. **A sum over all workers is the truth**: each tells of its own partitions alone.
4. **The decision's latency** is `turnstile_agent_delay_seconds{agent="ledger"}`: from the broker's time of the command
   to its outcome acknowledged by the broker.
5. **Each process of the API has a port of its own**: two on one host need two, or 0, which takes any; one that finds
   its port taken does not start.

## Limits

- Counters begin at 0 with each process, as Prometheus expects; only `turnstile_worker_failstops_total` is remembered.
- An event that is busy for the first time is named from then on; what was `other` before stays so in the past.
- The outbox's age is up to ten seconds too high: what has come through is known by the connector's last heartbeat.

"""


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join(_section(part, list(group)) for part, group in groupby(EVERY, lambda each: each.part))


def _section(part: str, group: list[Metric]) -> str:
    rows = "".join(f"| `{each.name}` | {each.kind} | {_labels(each)} | {each.help} |\n" for each in group)
    return f"## {WHERE[part]}\n\n| metric | kind | labels | what it is |\n|---|---|---|---|\n{rows}"


def _labels(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels) or "none"


command = page_command("metrics", PAGE, page)
