"""The metrics and labels in the queries of alerts and dashboards."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from telemetry.metrics.names import EVERY
from tests.yaml_files import read_yaml

OPS: Final = Path(__file__).parents[1] / "ops"
DASHBOARDS: Final = sorted((OPS / "grafana" / "dashboards").glob("*.json"))
ALERTS: Final = OPS / "prometheus" / "alerts.yml"
# What Prometheus adds to what it scrapes.
ADDED: Final = frozenset({"job", "instance", "role"})
_NAME: Final = re.compile(
    r"\b(?:turnstile|process|kafka|debezium|connect|jvm|node|alertmanager)_[A-Za-z0-9_]+\b|\bup\b"
)
_SELECTOR: Final = re.compile(rf"({_NAME.pattern})\{{([^}}]*)\}}")
_MATCHER: Final = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPING: Final = re.compile(r"\b(?:by|on|ignoring|without)\s*\(([^)]*)\)")
_TEXT: Final = re.compile(r'"[^"]*"')


class Query(NamedTuple):
    """A query, where it stands, and the labels that what is shown of it names."""

    place: str
    text: str
    shown: frozenset[str]

    @property
    def metrics(self) -> set[str]:
        """The series that it names."""
        return set(_NAME.findall(_TEXT.sub('""', self.text)))

    @property
    def matched(self) -> set[tuple[str, str]]:
        """Series with the labels that it chooses them by."""
        return {
            (name, label)
            for name, inner in _SELECTOR.findall(self.text)
            for label in _MATCHER.findall(_TEXT.sub('""', inner))
        }

    @property
    def grouped(self) -> set[str]:
        """The labels that it sums by, or that are shown."""
        names = {name.strip() for inner in _GROUPING.findall(self.text) for name in inner.split(",")}
        return (names | self.shown) - {""}


def series() -> dict[str, frozenset[str]]:
    """Every series that the definitions lead to, with its labels, and ``up``."""
    found: dict[str, frozenset[str]] = {"up": frozenset()}
    for metric in EVERY:
        labels = frozenset(metric.labels)
        if metric.kind == "histogram":
            found |= {f"{metric.name}_{part}": labels for part in ("sum", "count")}
            found[f"{metric.name}_bucket"] = labels | {"le"}
        else:
            found[metric.name] = labels
    return found


def wrong(query: Query, known: dict[str, frozenset[str]]) -> list[str]:
    """What a query names that is not exported."""
    named = [known[name] for name in query.metrics if name in known]
    labels = ADDED.union(*named)
    return [
        *(f"{query.place}: no metric {name}" for name in query.metrics - known.keys()),
        *(
            f"{query.place}: {name} has no label {label}"
            for name, label in query.matched
            if label not in known.get(name, frozenset()) | ADDED
        ),
        *(f"{query.place}: no label {label}" for label in query.grouped - labels if label != "table"),
    ]


def alert_queries() -> list[Query]:
    """The alerts' queries."""
    groups = read_yaml(ALERTS.read_text())["groups"]
    return [
        Query(rule["alert"], rule["expr"], frozenset(re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))))
        for group in groups
        for rule in group["rules"]
    ]


def dashboard_queries() -> list[Query]:
    """The dashboards' queries, with their variables filled in as "all"."""
    return [query for path in DASHBOARDS for query in _queries(path.stem, json.loads(path.read_text()))]


def _queries(name: str, dashboard: dict[str, Any]) -> Iterator[Query]:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            shown = frozenset(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
            text = re.sub(r"\$\w+", ".*", target["expr"].replace('"$1"', '"§1"')).replace("§", "$")
            yield Query(f"{name}: {panel['title']}", text, shown)
