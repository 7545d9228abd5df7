"""Metrics are exported in Prometheus's format, and only defined ones."""

import re

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from telemetry.metrics.definition import Histogram, Metric
from telemetry.metrics.names import EVERY


class Only:
    """A collector of one family."""

    def __init__(self, family: object) -> None:
        self.family = family

    def collect(self) -> list[object]:
        return [self.family]


def text(family: object) -> list[str]:
    registry = CollectorRegistry()
    registry.register(Only(family))  # type: ignore[arg-type]
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_a_histogram_tells_how_many_lie_at_or_below_each_bound() -> None:
    histogram = Histogram((0.1, 1.0))
    histogram.add(0.1)
    histogram.add(0.5, 3)
    histogram.add(7.0, 2)
    assert histogram.buckets() == [("0.1", 1), ("1", 4), ("+Inf", 6)]
    assert histogram.total == pytest.approx(0.1 + 1.5 + 14.0)


def test_a_counter_a_gauge_and_a_histogram_are_written_under_their_names() -> None:
    histogram = Histogram((1.0,))
    histogram.add(2.0)
    assert text(Metric("sold_total", "counter", "api", "Sold.", ("kind",)).of({("a",): 3})) == [
        'sold_total{kind="a"} 3.0'
    ]
    assert text(Metric("left", "gauge", "api", "Left.").one(4)) == ["left 4.0"]
    assert text(Metric("took_seconds", "histogram", "api", "Took.", ("by",)).spread({("x",): histogram})) == [
        'took_seconds_bucket{by="x",le="1"} 0.0',
        'took_seconds_bucket{by="x",le="+Inf"} 1.0',
        'took_seconds_count{by="x"} 1.0',
        'took_seconds_sum{by="x"} 2.0',
    ]


def test_a_value_with_too_few_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="sold_total has the labels"):
        text(Metric("sold_total", "counter", "api", "Sold.", ("kind", "why")).of({("a",): 3}))


def test_a_state_is_one_of_its_words() -> None:
    states = Metric("state", "gauge", "api", "State.", ("who", "state")).state("me", now="up", states=("up", "down"))
    assert states == {("me", "up"): 1.0, ("me", "down"): 0.0}


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
def test_names_follow_the_custom(metric: Metric) -> None:
    # The node exporter has the kernel's own names for memory.
    assert re.fullmatch(r"(turnstile|process|kafka|debezium|connect|jvm|node|alertmanager)_[A-Za-z0-9_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.help


def test_no_name_is_defined_twice() -> None:
    names = [metric.name for metric in EVERY]
    assert len(names) == len(set(names))
