"""Plots of the kept series, as SVG files beside the results. Each is drawn where its series was measured."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import altair as alt
import vl_convert

from lab.bench.archive import FOLDER, read_series

WIDTH, HEIGHT = 640, 320
PERCENTILES: Final = (1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9, 100)
STRETCHES: Final = 40
KILLED: Final = ("api", "postgres", "elasticsearch", "kafka", "ledger-0")

Rows = list[dict[str, Any]]
Drawn = alt.Chart | alt.VConcatChart


def latency(series: list[float]) -> alt.Chart:
    """Milliseconds by percentile, of ten a second."""
    rows = [{"percentile": percent, "ms": _at(series, percent)} for percent in PERCENTILES]
    return _lines(rows, "percentile:Q", "ms:Q", "Latency with 10 a second")


def throughput(stages: Rows) -> alt.VConcatChart:
    """What was sold a second, and how long it took, by what was asked for a second."""
    sold = [{"asked a second": one["offered"], "sold a second": one["sold"]} for one in stages]
    took = [
        {"asked a second": one["offered"], "ms": one[share], "share": name}
        for one in stages
        for share, name in (("p50", "median"), ("p99", "99th percentile"))
    ]
    title = "Purchases over REST by load"
    return alt.vconcat(
        _lines(sold, "asked a second:Q", "sold a second:Q", title),
        _lines(took, "asked a second:Q", "ms:Q", "", "share:N"),
    )


def burst(seconds: Rows) -> alt.Chart:
    """What became of the requests of each second."""
    rows = [
        {"second": one["second"], "requests": one[what], "answer": what}
        for one in seconds
        for what in ("sold", "refused")
    ]
    return _lines(rows, "second:Q", "requests:Q", "Five times what can be sold", "answer:N")


def cost(samples: Rows) -> alt.Chart:
    """CPU microseconds of each role for one purchase, as the sale grows."""
    rows = [row for stretch in stretches(samples) for row in _microseconds(*stretch)]
    return _lines(rows, "sold:Q", "µs of CPU a purchase:Q", "Cost of a purchase as the sale grows", "role:N")


def memory(samples: Rows) -> alt.Chart:
    """Resident megabytes of each role, as the sale grows."""
    rows = [
        {"sold": after["done"], "MB": megabytes, "role": role}
        for _, after in stretches(samples)
        for role, megabytes in after["resident"].items()
    ]
    return _lines(rows, "sold:Q", "MB:Q", "Resident memory as the sale grows", "role:N")


def over_time(samples: Rows) -> alt.Chart:
    """Resident megabytes of each role and megabytes on the disk, second by second."""
    rows = [
        {"seconds": one["at"], "MB": megabytes, "what": what}
        for one in _thinned(samples)
        for what, megabytes in (one["resident"] | {"disk": one["disk"]}).items()
    ]
    return _lines(rows, "seconds:Q", "MB:Q", "Memory and disk over a season", "what:N")


def worst(probes: Rows) -> alt.Chart:
    """The slowest probe of each part of the time."""
    size = max(1, len(probes) // STRETCHES)
    parts = [probes[start : start + size] for start in range(0, len(probes), size)]
    rows = [{"seconds": part[0]["at"], "ms": _at(sorted(one["ms"] for one in part), 99)} for part in parts]
    return _lines(rows, "seconds:Q", "ms:Q", "Command to outcome over a season, 99th percentile")


def outage(asked: Rows) -> alt.Chart:
    """How long each question took that was asked around a kill, failures apart."""
    rows = [
        {"seconds from the kill": one["at"], "ms": 1000 * one["seconds"], "answer": "well" if one["well"] else "failed"}
        for one in asked
    ]
    chart = alt.Chart(alt.InlineData(values=rows), width=WIDTH, height=HEIGHT, title="Answers around kill -9")
    encoded: alt.Chart = chart.mark_point().encode(x="seconds from the kill:Q", y="ms:Q", color="answer:N")
    return encoded


# The file's name, the series that it is drawn from, and how.
PLOTS: Final[tuple[tuple[str, str, Callable[[Any], Drawn]], ...]] = (
    ("ledger-latency", "ledger.idle", latency),
    ("rest-latency", "rest.idle", latency),
    ("rest-load", "rest.load", throughput),
    ("rest-burst", "rest.burst", burst),
    ("ledger-cost", "ledger.million", cost),
    ("ledger-memory", "ledger.million", memory),
    ("soak-cost", "soak", cost),
    ("soak-memory", "soak", over_time),
    ("soak-latency", "soak.probes", worst),
    *((f"outage-{name}", f"outage.{name}", outage) for name in KILLED),
)


def draw(folder: Path = FOLDER) -> list[Path]:
    """Draw every plot whose series is there; the files."""
    drawn = []
    for name, source, plot in PLOTS:
        series = read_series(source, folder)
        if series:
            drawn.append(folder / f"{name}.svg")
            drawn[-1].write_text(svg(plot(series)))
    return drawn


def svg(chart: Drawn) -> str:
    """The chart as an SVG document, made without a network or a browser."""
    return str(vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[]))


def stretches(samples: Rows) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The looks at the ends of about equal parts of what was done."""
    total = samples[-1]["done"]
    ends = [samples[0]]
    for sample in samples[1:]:
        if sample["done"] - ends[-1]["done"] >= total / STRETCHES:
            ends.append(sample)
    return list(pairwise(ends))


def _thinned(samples: Rows) -> Rows:
    return samples[:: max(1, len(samples) // STRETCHES)]


def _microseconds(before: dict[str, Any], after: dict[str, Any]) -> Rows:
    done = after["done"] - before["done"]
    return [
        {"sold": after["done"], "role": role, "µs of CPU a purchase": 1e6 * (seconds - before["cpu"][role]) / done}
        for role, seconds in after["cpu"].items()
        if role in before["cpu"]
    ]


def _at(ordered: list[float], percent: float) -> float:
    return ordered[min(len(ordered) - 1, int(percent / 100 * len(ordered)))]


def _lines(rows: Rows, x: str, y: str, title: str, color: str | None = None) -> alt.Chart:
    chart = alt.Chart(alt.InlineData(values=rows), width=WIDTH, height=HEIGHT, title=title).mark_line(point=True)
    encoded: alt.Chart = chart.encode(x=x, y=y, **({"color": color} if color else {}))
    return encoded
