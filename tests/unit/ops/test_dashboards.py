"""Dashboards and alerts name nothing that no part exports, and Prometheus's own tool can read every query."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from ops.reference import runbooks_dashboard
from tests.debian import program
from tests.queries import DASHBOARDS, OPS, Query, alert_queries, dashboard_queries, series, wrong

QUERIES = [*alert_queries(), *dashboard_queries()]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.place)
def test_a_query_names_metrics_and_labels_that_are_exported(query: Query) -> None:
    assert wrong(query, series()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rate(turnstile_sold_total[1m])", "no metric turnstile_sold_total"),
        ('turnstile_slot_active{slots="x"}', "turnstile_slot_active has no label slots"),
        ("sum by (connector) (turnstile_slot_active)", "no label connector"),
        ("turnstile_agent_delay_seconds", "no metric turnstile_agent_delay_seconds"),
    ],
)
def test_a_query_that_names_something_else_is_found(text: str, said: str) -> None:
    assert any(said in each for each in wrong(Query("here", text, frozenset()), series()))


def test_prometheus_can_read_every_query_of_the_dashboards(tmp_path: Path) -> None:
    rules = [{"record": f"q{number}", "expr": query.text} for number, query in enumerate(dashboard_queries())]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    done = subprocess.run(
        (*program("promtool"), "check", "rules", str(file)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_can_read_its_configuration() -> None:
    config = OPS / "prometheus" / "prometheus.yml"
    command = (*program("promtool"), "check", "config", str(config))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboards_show_every_metric_but_what_only_helps() -> None:
    shown = {name for query in QUERIES for name in query.metrics}
    left = {name for name in series() if not name.endswith(("_sum", "_count", "_bucket"))} - shown
    assert left <= {
        "jvm_memory_max_bytes",
        "jvm_threads_current",
        "process_virtual_memory_bytes",
        "debezium_since_last_event_seconds",
        "debezium_events_total",
        "kafka_broker_partitions",
        "kafka_broker_request_mean_milliseconds",
        "kafka_controller_active",
    }


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_one_that_grafana_can_load(path: Path) -> None:
    dashboard = json.loads(path.read_text())
    assert dashboard["uid"] == f"turnstile-{path.stem}"
    assert dashboard["title"]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["type"] in {"row", "stat", "table", "text", "timeseries"}
        if panel["type"] not in {"row", "text"}:
            assert panel["targets"]
            assert panel["datasource"]["uid"] == "prometheus"
            assert len(panel["description"].split()) > 2, panel["title"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_leads_to_all_others_and_to_the_runbooks(path: Path) -> None:
    dashboard = json.loads(path.read_text())
    assert [(link["type"], link["tags"]) for link in dashboard["links"]] == [("dashboards", dashboard["tags"])]
    assert json.loads(runbooks_dashboard.PAGE.read_text())["tags"] == dashboard["tags"]


def test_the_dashboard_of_runbooks_is_up_to_date() -> None:
    assert runbooks_dashboard.page() == runbooks_dashboard.PAGE.read_text(), "run `turnstile docs runbooks --write`"


def test_a_runbook_leads_to_the_panel_of_the_one_that_it_names() -> None:
    panels = {panel["title"]: panel for panel in json.loads(runbooks_dashboard.page())["panels"]}
    assert panels.keys() >= {rule.place for rule in alert_queries()}
    number = panels["ServerAway"]["id"]
    assert f"[ServerAway](/d/{runbooks_dashboard.UID}?viewPanel={number})" in panels["LagGrowing"]["options"]["content"]
    assert ".md)" not in "".join(re.findall(r"\]\([^)]*\)", runbooks_dashboard.page()))
