"""What a worker counts: plain numbers, added to once a batch and turned into metrics only when somebody looks."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter

from faust.types import Message
from prometheus_client import Metric as Family

from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason
from telemetry.metrics import ledger as ledger_metrics
from telemetry.metrics import projections as projections_metrics
from telemetry.metrics import worker as worker_metrics
from telemetry.metrics.histogram import Histogram

Verdict = tuple[OutcomeKind, Reason | None]

# What of an outcome is counted. A batch keeps only that: with all outcomes in memory until its end each cost 6 % more.
verdict = attrgetter("kind", "reason")
_MOMENT = attrgetter("timestamp")


class Figures:
    """The numbers of one worker. ``sources`` are asked for more when somebody looks."""

    def __init__(self) -> None:
        self.decisions: Counter[Verdict] = Counter()
        self.index_changes: Counter[str] = Counter()
        self.mails: Counter[tuple[str, ...]] = Counter()
        self.unreadable: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.strangers: Counter[str] = Counter()
        self._topics: set[str] = set()
        self._tables: set[str] = set()
        self.sources: list[Callable[[], Iterable[Family]]] = []
        self._delays: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(worker_metrics.AGENT_DELAY.bounds))
        self._batches: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._waiting: dict[str, float] = {}
        self._waiters: Counter[str] = Counter()

    def reads(self, topic: str) -> None:
        """The worker reads a topic. What is counted of it begins at 0, so that the first one is a growth."""
        self._topics.add(topic)

    def keeps(self, table: str) -> None:
        """The worker keeps a table; as for a topic."""
        self._tables.add(table)

    def batch(self, agent: str, messages: list[Message], seconds: float) -> None:
        """An agent is through with a batch, which took it so long."""
        now = time.time()
        delays = self._delays[agent]
        # Records that were appended together have one time where the broker gave it.
        for moment, count in Counter(map(_MOMENT, messages)).items():
            delays.add(max(0.0, now - moment), count)
        self._batches[agent] += 1
        self._seconds[agent] += seconds

    def decided(self, verdicts: Iterable[Verdict]) -> None:
        """Outcomes have been stored and sent."""
        self.decisions.update(verdicts)

    def waits(self, doing: str, now: float) -> bool:
        """Something begins to wait for a server (by time.monotonic). Whether nothing else did with the same words."""
        self._waiters[doing] += 1
        if self._waiters[doing] > 1:
            return False
        self._waiting[doing] = now
        return True

    def waits_no_more(self, doing: str) -> bool:
        """It waits no more. Whether nothing else does with the same words."""
        self._waiters[doing] -= 1
        if self._waiters[doing]:
            return False
        self._waiting[doing] = 0.0
        return True

    @property
    def waiting(self) -> bool:
        """Whether anything waits for a server."""
        return any(self._waiting.values())

    def collect(self) -> Iterator[Family]:
        """The metrics."""
        yield worker_metrics.AGENT_DELAY.spread({(agent,): delays for agent, delays in self._delays.items()})
        yield worker_metrics.AGENT_BATCHES.of(_by_one(self._batches))
        yield worker_metrics.AGENT_SECONDS.of(_by_one(self._seconds))
        now = time.monotonic()
        yield worker_metrics.WAITING_SECONDS.of(
            {(doing,): now - at if at else 0.0 for doing, at in self._waiting.items()}
        )
        yield ledger_metrics.DECISIONS.of(
            {(str(kind), reason or ""): count for (kind, reason), count in self.decisions.items()}
        )
        yield projections_metrics.INDEX_CHANGES.of(_by_one(self.index_changes))
        yield projections_metrics.MAILS.of(self.mails)
        none = dict.fromkeys(self._topics, 0)
        yield worker_metrics.UNREADABLE.of(_by_one(none | self.unreadable))
        yield worker_metrics.INPUT_LOST.of(_by_one(none | self.lost))
        yield worker_metrics.CHANGELOG_STRANGERS.of(_by_one(dict.fromkeys(self._tables, 0) | self.strangers))
        for source in self.sources:
            yield from source()


def _by_one(counts: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(name,): count for name, count in counts.items()}
