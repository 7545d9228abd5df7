"""The definition of a metric: its name, kind, labels and meaning; a histogram's values. Nothing else is exported."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

Kind = Literal["counter", "gauge", "histogram"]
# The exporting part: a part of the project, the JMX agent in a Java server, or a server.
Part = Literal[
    "every part",
    "api",
    "worker",
    "worker and api",
    "ledger",
    "indexer",
    "notifications",
    "exporter",
    "kafka",
    "connect",
    "kafka and connect",
    "node",
    "alertmanager",
]
# Values by labels, in the metric's order of labels.
Samples = Mapping[tuple[str, ...], float]
# From a millisecond (an idle ledger) to five minutes (a server is down).
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Histogram:
    """The number of values at or below each of the ascending ``bounds``.

    Adding one value or a thousand equal ones costs one search in a short list.
    """

    __slots__ = ("_counts", "bounds", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.total = 0.0
        self._counts = [0] * (len(bounds) + 1)

    def add(self, value: float, count: int = 1) -> None:
        """Add a value ``count`` times."""
        self._counts[bisect_left(self.bounds, value)] += count
        self.total += value * count

    def buckets(self) -> list[tuple[str, float]]:
        """The bounds in Prometheus's notation, each with the number of values up to it."""
        names = [*(f"{bound:g}" for bound in self.bounds), "+Inf"]
        return list(zip(names, accumulate(self._counts), strict=True))


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric."""

    name: str
    kind: Kind
    part: Part
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = field(default=SECONDS)

    def one(self, value: float) -> Family:
        """The family of a metric without labels."""
        return self.of({(): value})

    def of(self, samples: Samples) -> Family:
        """The family of a counter or gauge with these values."""
        family = (CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily)(
            self.name, self.help, labels=self.labels
        )
        for labels, value in samples.items():
            family.add_metric(self._checked(labels), value)
        return family

    def spread(self, histograms: Mapping[tuple[str, ...], Histogram]) -> Family:
        """The family of a histogram with these values."""
        family = HistogramMetricFamily(self.name, self.help, labels=self.labels)
        for labels, histogram in histograms.items():
            family.add_metric(self._checked(labels), histogram.buckets(), histogram.total)
        return family

    def state(self, *labels: str, now: str, states: tuple[str, ...]) -> dict[tuple[str, ...], float]:
        """Samples of a gauge whose last label is a state: 1 for the state ``now``, 0 for the others."""
        return {(*labels, state): float(state == now) for state in states}

    def _checked(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        if len(labels) != len(self.labels):
            raise ValueError(f"{self.name} has the labels {self.labels}, not {labels}")
        return labels


class Metrics(list[Metric]):
    """The metrics of one part, in the order of their definition."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self._part = part

    def counter(self, name: str, help_: str, *labels: str) -> Metric:
        return self._defined(Metric(name, "counter", self._part, help_, labels))

    def gauge(self, name: str, help_: str, *labels: str) -> Metric:
        return self._defined(Metric(name, "gauge", self._part, help_, labels))

    def histogram(self, name: str, help_: str, *labels: str) -> Metric:
        """Define a histogram of seconds."""
        return self._defined(Metric(name, "histogram", self._part, help_, labels))

    def _defined(self, metric: Metric) -> Metric:
        self.append(metric)
        return metric
