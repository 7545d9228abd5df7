"""Every figure of the measurements: its key, unit, meaning and goal."""

from dataclasses import dataclass
from typing import Final, Literal

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One key of ``lab/bench/results/latest.json``."""

    key: str
    unit: str
    about: str
    goal: float | None = None
    better: Better = "higher"

    def met(self, value: float) -> bool | None:
        """Whether the value meets the goal; None without a goal."""
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
        "ledger.after_1m_ratio",
        "×",
        "100,000 purchases after 1,000,000 of that event, against the first once warm",
        0.85,
    ),
    Figure("ledger.after_1m_pace", "×", "the machine itself: how fast a fixed job was then, against first"),
    Figure(
        "ledger.worker_rss_mb_after_1m", "MB", "resident memory of the worker after 1,000,000 purchases", 400, "lower"
    ),
    Figure("ledger.two_decisions_per_s", "1/s", "purchases decided for each second of the clock, two workers"),
    Figure("ledger.two_decisions_per_worker_cpu_s", "1/s", "purchases decided for each CPU second of two workers"),
    Figure("ledger.two_workers_ratio", "×", "purchases a second of two workers on this machine, against one", 1.7),
    Figure("ledger.copied_decisions_per_s", "1/s", "the same, each with warm copies of the other's partitions"),
    Figure(
        "ledger.copied_decisions_per_worker_cpu_s", "1/s", "purchases decided for each CPU second of two such workers"
    ),
    Figure("ledger.copies_ratio", "×", "what two workers with warm copies do in a second, against two without"),
    Figure("ledger.two_workers_cpu_ratio", "×", "purchases for each worker CPU second of two workers, against one"),
    Figure("ledger.idle_p50_ms", "ms", "command sent to outcome received, 10 a second, median", 10, "lower"),
    Figure("ledger.idle_p99_ms", "ms", "the same, 99th percentile", 30, "lower"),
    Figure(
        "ledger.holds_late_p50_s",
        "s",
        "hold ended after its deadline, 200,000 open, worker killed meanwhile, median",
        better="lower",
    ),
    Figure("ledger.holds_late_p99_s", "s", "the same, 99th percentile", 2, "lower"),
    Figure("ledger.growth_types_ratio", "×", "a decision with 200 ticket types, against 3, in process", 1.3, "lower"),
    Figure(
        "ledger.growth_events_ratio",
        "×",
        "a decision on 20,000 events of one partition in turn, against 64, in process",
        better="lower",
    ),
    Figure(
        "ledger.growth_endings_ratio",
        "×",
        "purchases of 1,000 cancelled events ended in one batch, against step by step, in process",
        1.3,
        "lower",
    ),
)

SEATS: Final = (
    Figure(
        "seats.cost_ratio_20x20",
        "×",
        "worker CPU of the dearest decision about two seats, sections of 20 × 20, against one without seats",
        better="lower",
    ),
    Figure("seats.cost_ratio_50x50", "×", "the same, 50 × 50", better="lower"),
    Figure("seats.cost_ratio_100x100", "×", "the same, 100 × 100", 1.5, "lower"),
    Figure(
        "seats.rules_ratio_20x20",
        "×",
        "the rules of the dearest of those decisions, 20 × 20, against those without seats, in process",
        better="lower",
    ),
    Figure("seats.rules_ratio_50x50", "×", "the same, 50 × 50", better="lower"),
    Figure("seats.rules_ratio_100x100", "×", "the same, 100 × 100", better="lower"),
    Figure(
        "seats.purchases_per_server_cpu_s", "1/s", "seats over REST a server CPU second, 400 areas of 20 × 20, all sold"
    ),
    Figure("seats.api_us", "µs", "CPU of the API for one seat", better="lower"),
    Figure("seats.worker_us", "µs", "CPU of the ledger worker for it", better="lower"),
    Figure("seats.broker_us", "µs", "CPU of the broker for it", better="lower"),
    Figure(
        "seats.sellout_answers_per_server_cpu_s",
        "1/s",
        "answers a server CPU second, 80 areas sold out, 5 buyers for each seat",
    ),
)

REST: Final = (
    Figure(
        "rest.baseline_many_per_server_cpu_s", "1/s", "plain PostgreSQL, 64 ticket types: purchases a server CPU second"
    ),
    Figure("rest.baseline_hot_per_server_cpu_s", "1/s", "plain PostgreSQL, one ticket type: the same"),
    Figure("rest.purchases_per_server_cpu_s", "1/s", "purchases over REST a server CPU second, many events", 2_000),
    Figure("rest.api_us", "µs", "CPU of the API for one purchase, many events", better="lower"),
    Figure("rest.worker_us", "µs", "CPU of the ledger worker for it", better="lower"),
    Figure("rest.broker_us", "µs", "CPU of the broker for it", better="lower"),
    Figure("rest.hot_purchases_per_server_cpu_s", "1/s", "purchases over REST a server CPU second, one event"),
    Figure(
        "rest.sellout_answers_per_server_cpu_s", "1/s", "answers a server CPU second, 5 buyers for each ticket", 4_000
    ),
    Figure("rest.idle_p50_ms", "ms", "purchase over REST with 10 a second, median", 25, "lower"),
    Figure("rest.idle_p99_ms", "ms", "the same, 99th percentile", 60, "lower"),
    Figure("rest.besieged_p50_ms", "ms", "purchase over REST beside 64 hostile clients, median", better="lower"),
    Figure("rest.besieged_p99_ms", "ms", "the same, 99th percentile", 100, "lower"),
    Figure("pages.besieged_p50_ms", "ms", "the page of an event beside 64 hostile clients, median", better="lower"),
    Figure("pages.besieged_p99_ms", "ms", "the same, 99th percentile", 100, "lower"),
    Figure("rest.most_per_s", "1/s", "purchases over REST a second of the clock, as many as this machine sells"),
    Figure("rest.open_loop_p99_ms", "ms", "purchase over REST at 60 % of the most, 99th percentile", 250, "lower"),
    Figure("rest.burst_unanswered", "", "requests without an answer in a burst of five times the most", 0, "lower"),
    Figure("rest.burst_p99_ms", "ms", "the longest of 99 % of the answers in that burst", better="lower"),
    Figure("rest.after_burst_p99_ms", "ms", "99th percentile ten seconds after it, at 60 % of the most", 250, "lower"),
    Figure(
        "rest.baseline_ratio_many", "×", "purchases a server CPU second, against plain PostgreSQL: many events", 1.2
    ),
    Figure("rest.baseline_ratio_hot", "×", "the same, all for one hot ticket type", 2.5),
)

PAYMENTS: Final = (
    Figure(
        "payments.purchases_per_server_cpu_s",
        "1/s",
        "purchases that are paid online, from the request to the captured money, a server CPU second without Paper's",
        1_000,
    ),
    Figure("payments.purchases_per_s", "1/s", "such purchases for each second of the clock, until all is captured"),
    Figure("payments.api_us", "µs", "CPU of the API for one of them, webhooks included", better="lower"),
    Figure("payments.worker_us", "µs", "CPU of the ledger worker for it", better="lower"),
    Figure("payments.payments_us", "µs", "CPU of the role `payments` for it", better="lower"),
    Figure("payments.sales_us", "µs", "CPU of the role `sales` for it", better="lower"),
    Figure("payments.broker_us", "µs", "CPU of the broker for it", better="lower"),
    Figure("payments.postgres_us", "µs", "CPU of PostgreSQL for it", better="lower"),
)

GATE: Final = (
    Figure("gate.cpu_us", "µs", "CPU of the gate for one request with its answer, at full load", 35, "lower"),
    Figure("gate.requests_per_s", "1/s", "requests answered for each second of the clock, one worker"),
    Figure("gate.idle_p50_ms", "ms", "request sent to answer received, 10 a second, median", 20, "lower"),
    Figure("gate.idle_p99_ms", "ms", "the same, 99th percentile", 60, "lower"),
    Figure("gate.flooded_p50_ms", "ms", "the same while another producer floods, median", better="lower"),
    Figure("gate.flooded_p99_ms", "ms", "the same, 99th percentile", 100, "lower"),
)

SOAK: Final = (
    Figure("soak.worker_cost_ratio", "×", "soak: worker CPU of a decision, last fifth to the first", 1.15, "lower"),
    Figure("soak.broker_cost_ratio", "×", "soak: broker CPU of a decision, last fifth to the first", 1.15, "lower"),
    Figure("soak.p50_ms", "ms", "soak: command to outcome beside 4,000 commands a second, median", better="lower"),
    Figure("soak.first_p99_ms", "ms", "soak: 99th percentile in the first fifth", better="lower"),
    Figure("soak.last_p99_ms", "ms", "soak: 99th percentile in the last fifth", better="lower"),
    Figure("soak.worker_rss_mb", "MB", "soak: resident memory of the worker in the end", 400, "lower"),
    Figure("soak.disk_bytes_per_decision", "B", "soak: topics and local database, for each decision", better="lower"),
)

RUN: Final = (
    Figure("run.fresh_s", "s", "start of the whole stack on an empty folder, jars there", better="lower"),
    Figure("run.warm_s", "s", "start of the whole stack again", 40, "lower"),
    Figure("run.rss_mb", "MB", "resident memory of all servers and processes", 3_000, "lower"),
)

RECOVERY: Final = (
    Figure("recovery.worker_s", "s", "`kill -9` of the only ledger worker: until it decides again", 5, "lower"),
    Figure("recovery.takeover_s", "s", "`kill -9` of one of two: until the other decides for it", 10, "lower"),
    Figure("recovery.rebuild_1m_s", "s", "1,000,000 purchases rebuilt from an empty folder", better="lower"),
    Figure("recovery.rebuild_1m_cpu_s", "s", "the same, CPU of the worker", 60, "lower"),
    Figure(
        "recovery.busy_worker_s",
        "s",
        "`kill -9` of the ledger worker: until decisions come as usual",
        5,
        "lower",
    ),
    Figure("recovery.broker_s", "s", "`kill -9` of the broker: until decisions come as usual", better="lower"),
    Figure("recovery.api_s", "s", "`kill -9` of the API: until it answers", better="lower"),
    Figure("recovery.postgres_s", "s", "`kill -9` of PostgreSQL: until events are listed", better="lower"),
    Figure("recovery.elasticsearch_s", "s", "`kill -9` of Elasticsearch: until events are found", better="lower"),
    Figure("recovery.connect_s", "s", "`kill -9` of Kafka Connect: until new rows flow", better="lower"),
)

SEARCH: Final = (
    Figure("search.ndcg_at_10", "", "80 judged queries in four languages over the demonstration catalogue", 0.9),
    Figure("search.fresh_p50_ms", "ms", "commit to search hit, 50 changes a second, median", 400, "lower"),
    Figure("search.fresh_p99_ms", "ms", "the same, 99th percentile", 1_000, "lower"),
    Figure("search.indexed_per_worker_cpu_s", "1/s", "rows indexed for each CPU second of the indexer", 3_000),
    Figure("search.indexed_per_s", "1/s", "rows indexed for each second of the clock"),
    Figure("search.index_us", "µs", "CPU of Elasticsearch for one row", better="lower"),
)

PAGES: Final = (
    Figure("pages.front_p50_ms", "ms", "the first page of the site, median", better="lower"),
    Figure("pages.front_p95_ms", "ms", "the same, 95th percentile", 50, "lower"),
    Figure("pages.front_kb", "kB", "the first page over the wire with styles, scripts and icon", 100, "lower"),
    Figure("pages.event_p50_ms", "ms", "the page of an event, median", better="lower"),
    Figure("pages.event_p95_ms", "ms", "the same, 95th percentile", 50, "lower"),
    Figure("pages.event_kb", "kB", "the page of an event over the wire with styles, scripts and icon", 100, "lower"),
)

MAIL: Final = (
    Figure("mail.tickets_per_worker_cpu_s", "1/s", "mails with two signed tickets for each CPU second of the worker"),
    Figure("mail.notices_per_worker_cpu_s", "1/s", "mails of words only for each CPU second of the worker"),
    Figure("mail.decision_to_mailbox_p50_ms", "ms", "decision to mailbox, 10 a second, median", better="lower"),
    Figure("mail.decision_to_mailbox_p99_ms", "ms", "the same, 99th percentile", better="lower"),
)

GROUPS: Final = (RUN, LEDGER, SEATS, GATE, RECOVERY, REST, PAYMENTS, SEARCH, PAGES, MAIL, SOAK)
CATALOGUE: Final[dict[str, Figure]] = {figure.key: figure for group in GROUPS for figure in group}

# A ratio of the medians of two figures; made only where both come from the same commit.
RATIOS: Final = {
    "rest.baseline_ratio_many": ("rest.purchases_per_server_cpu_s", "rest.baseline_many_per_server_cpu_s"),
    "rest.baseline_ratio_hot": ("rest.hot_purchases_per_server_cpu_s", "rest.baseline_hot_per_server_cpu_s"),
    "ledger.hot_event_ratio": ("ledger.hot_decisions_per_worker_cpu_s", "ledger.decisions_per_worker_cpu_s"),
    "ledger.two_workers_ratio": ("ledger.two_decisions_per_s", "ledger.decisions_per_s"),
    "ledger.copies_ratio": ("ledger.copied_decisions_per_s", "ledger.two_decisions_per_s"),
    "ledger.two_workers_cpu_ratio": (
        "ledger.two_decisions_per_worker_cpu_s",
        "ledger.decisions_per_worker_cpu_s",
    ),
}
