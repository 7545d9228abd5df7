"""What a soak says of a season: the end against the beginning."""

import pytest

from lab.bench.latency import Probed
from lab.bench.soak import figures
from lab.bench.track import Sample, Track


def season(late: float) -> Track:
    """A thousand decisions a second for 100 s; from the half on each costs the worker ``late`` times as much."""
    samples, worker = [], 0.0
    for second in range(101):
        samples.append(
            Sample(second, 1000 * second, {"worker": worker, "broker": second / 20}, {"worker": 150}, second)
        )
        worker += 0.1 * (late if second >= 50 else 1)
    return Track(samples)


def probes(first: float, last: float) -> list[Probed]:
    return [Probed(second / 10, first if second < 500 else last) for second in range(1000)]


def test_a_season_in_which_nothing_grows_is_even() -> None:
    found = figures(season(late=1), probes(0.01, 0.01))
    assert found["soak.worker_cost_ratio"] == pytest.approx(1)
    assert found["soak.broker_cost_ratio"] == pytest.approx(1)
    assert found["soak.first_p99_ms"] == found["soak.last_p99_ms"] == pytest.approx(10)
    assert found["soak.worker_rss_mb"] == 150
    assert found["soak.disk_bytes_per_decision"] == pytest.approx(1000)


def test_what_grows_shows() -> None:
    found = figures(season(late=3), probes(0.01, 0.5))
    assert found["soak.worker_cost_ratio"] == pytest.approx(3)
    assert [found["soak.first_p99_ms"], found["soak.last_p99_ms"]] == pytest.approx([10, 500])
