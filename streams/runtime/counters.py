"""A worker's counters: plain numbers, added to once a batch and turned into metrics when these are read."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter

from prometheus_client import Metric as Family

from streams.runtime.kafka_types import Message
from tables.messages.outcomes import OutcomeKind
from tables.messages.reasons import Reason
from telemetry.metrics import worker as metric
from telemetry.metrics.definition import Histogram

Verdict = tuple[OutcomeKind, Reason | None]

# What is counted of an outcome. A batch keeps only that: keeping its outcomes costs 6 % more for each of them.
verdict = attrgetter("kind", "reason")
_TIMESTAMP = attrgetter("timestamp")


class Counters:
    """The numbers of one worker; ``collectors`` are asked for further metrics."""

    def __init__(self) -> None:
        self.decisions: Counter[Verdict] = Counter()
        self.index_changes: Counter[str] = Counter()
        self.mails: Counter[tuple[str, ...]] = Counter()
        self.unreadable: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.foreign_writes: Counter[str] = Counter()
        self._topics: set[str] = set()
        self._tables: set[str] = set()
        self.collectors: list[Callable[[], Iterable[Family]]] = []
        self._delays: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(metric.AGENT_DELAY.bounds))
        self._batches: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._waiting_since: dict[str, float] = {}
        self._waiters: Counter[str] = Counter()

    def add_topic(self, topic: str) -> None:
        """Count a topic from 0 on, so that its first lost or unreadable record shows as an increase."""
        self._topics.add(topic)

    def add_table(self, table: str) -> None:
        """Count a table from 0 on, as a topic."""
        self._tables.add(table)

    def count_batch(self, agent: str, messages: list[Message], seconds: float) -> None:
        """An agent has handled a batch in ``seconds``."""
        now = time.time()
        delays = self._delays[agent]
        # Records that were appended together share a timestamp where the broker sets it.
        for timestamp, count in Counter(map(_TIMESTAMP, messages)).items():
            delays.add(max(0.0, now - timestamp), count)
        self._batches[agent] += 1
        self._seconds[agent] += seconds

    def begin_wait(self, doing: str, now: float) -> bool:
        """Something starts to wait for a server (``now`` by time.monotonic). Whether it is the first with that name."""
        self._waiters[doing] += 1
        if self._waiters[doing] > 1:
            return False
        self._waiting_since[doing] = now
        return True

    def end_wait(self, doing: str) -> bool:
        """It waits no longer. Whether it was the last with that name."""
        self._waiters[doing] -= 1
        if self._waiters[doing]:
            return False
        self._waiting_since[doing] = 0.0
        return True

    @property
    def is_waiting(self) -> bool:
        """Whether anything waits for a server."""
        return any(self._waiting_since.values())

    def collect(self) -> Iterator[Family]:
        yield metric.AGENT_DELAY.spread({(agent,): delays for agent, delays in self._delays.items()})
        yield metric.AGENT_BATCHES.of(_labelled(self._batches))
        yield metric.AGENT_SECONDS.of(_labelled(self._seconds))
        now = time.monotonic()
        waits: dict[tuple[str, ...], float] = {
            (doing,): now - since if since else 0.0 for doing, since in self._waiting_since.items()
        }
        yield metric.WAITING_SECONDS.of(waits)
        yield metric.DECISIONS.of(
            {(str(kind), reason or ""): count for (kind, reason), count in self.decisions.items()}
        )
        yield metric.INDEX_CHANGES.of(_labelled(self.index_changes))
        yield metric.MAILS.of(self.mails)
        zeros = dict.fromkeys(self._topics, 0)
        yield metric.UNREADABLE.of(_labelled(zeros | self.unreadable))
        yield metric.INPUT_LOST.of(_labelled(zeros | self.lost))
        yield metric.CHANGELOG_STRANGERS.of(_labelled(dict.fromkeys(self._tables, 0) | self.foreign_writes))
        for collector in self.collectors:
            yield from collector()


def _labelled(counts: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(name,): count for name, count in counts.items()}
