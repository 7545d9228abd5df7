"""Every figure that the measurements can write: its key, unit, meaning and what is wanted of it."""

from dataclasses import dataclass
from typing import Final, Literal

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One key of ``bench/results/latest.json``."""

    key: str
    unit: str
    about: str
    goal: float | None = None
    better: Better = "higher"

    def met(self, value: float) -> bool | None:
        """Whether the value is as good as is wanted; None where nothing is asked for."""
        if self.goal is None:
            return None
        return value >= self.goal if self.better == "higher" else value <= self.goal


LEDGER: Final = (
    Figure(
        "ledger.decisions_per_worker_cpu_s", "1/s", "purchases decided for each CPU second of the ledger worker", 12_000
    ),
    Figure(
        "ledger.decisions_per_server_cpu_s",
        "1/s",
        "purchases decided for each CPU second of worker and broker together",
        9_000,
    ),
    Figure("ledger.worker_us", "µs", "CPU of the worker for one purchase", better="lower"),
    Figure("ledger.broker_us", "µs", "CPU of the broker for one purchase", better="lower"),
    Figure("ledger.decisions_per_s", "1/s", "purchases decided for each second of the clock, one worker"),
    Figure("ledger.topic_bytes_per_purchase", "B", "command, records and outcome of one purchase on the topics"),
    Figure("ledger.disk_bytes_per_purchase", "B", "one purchase in the worker's local database", better="lower"),
    Figure("ledger.hot_decisions_per_worker_cpu_s", "1/s", "the same on one event with 20 ticket types"),
    Figure("ledger.hot_event_ratio", "×", "one event with 20 ticket types, against 64 events", 0.9),
    Figure(
        "ledger.after_1m_ratio", "×", "100,000 purchases after 1,000,000 of that event, against its first 100,000", 0.85
    ),
    Figure(
        "ledger.worker_rss_mb_after_1m", "MB", "resident memory of the worker after 1,000,000 purchases", 400, "lower"
    ),
    Figure("ledger.two_decisions_per_s", "1/s", "purchases decided for each second of the clock, two workers"),
    Figure("ledger.two_decisions_per_worker_cpu_s", "1/s", "purchases decided for each CPU second of two workers"),
    Figure("ledger.two_workers_ratio", "×", "purchases a second of two workers on this machine, against one", 1.7),
    Figure("ledger.two_workers_cpu_ratio", "×", "purchases for each worker CPU second of two workers, against one"),
    Figure("ledger.idle_p50_ms", "ms", "command sent to outcome received, 10 a second, median", 10, "lower"),
    Figure("ledger.idle_p99_ms", "ms", "the same, 99th percentile", 30, "lower"),
)

CATALOGUE: Final[dict[str, Figure]] = {figure.key: figure for figure in LEDGER}

# A ratio of the medians of two figures; made only where both come from the same commit.
RATIOS: Final = {
    "ledger.hot_event_ratio": ("ledger.hot_decisions_per_worker_cpu_s", "ledger.decisions_per_worker_cpu_s"),
    "ledger.two_workers_ratio": ("ledger.two_decisions_per_s", "ledger.decisions_per_s"),
    "ledger.two_workers_cpu_ratio": (
        "ledger.two_decisions_per_worker_cpu_s",
        "ledger.decisions_per_worker_cpu_s",
    ),
}
