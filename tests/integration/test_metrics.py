"""A real Prometheus scrapes a running pipeline: every metric of docs/metrics.md has a value, every query an answer.

A real Alertmanager sends what fires there to the pipeline's mail server.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml

from lab.free_ports import free
from stack.member import HOST
from streams.runtime.failstop import FILE_NAME
from telemetry.metrics.names import EVERY
from telemetry.metrics.worker import WAITING_SECONDS
from tests.alertmanager import alertmanager
from tests.debian import program
from tests.eventually import eventually
from tests.pipeline import Pipeline
from tests.queries import ADDED, ALERTS, OPS, Query, alert_queries, dashboard_queries, wrong
from tests.yaml_files import read_yaml

OURS = "turnstile_"


@dataclass
class Prometheus:
    """A Prometheus of this test's own, asked over HTTP."""

    url: str

    def ask(self, path: str, **parameters: Any) -> Any:
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=10, trust_env=False)
        said = answer.json()
        assert said["status"] == "success", said
        return said["data"]

    def labels(self, name: str) -> list[dict[str, str]]:
        """The labels of every series of that name that has a value now."""
        return [each["metric"] for each in self.ask("query", query=name)["result"]]

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False


def configuration(pipeline: Pipeline, more: dict[str, int]) -> dict[str, Any]:
    """The configuration of the deployment, with this pipeline's addresses, ``more``, and less time between looks."""
    ports = pipeline.stack.settings
    here = {
        "api": ports.api_metrics_port,
        "exporter": ports.exporter_port,
        "kafka": ports.kafka_metrics_port,
        "connect": ports.connect_metrics_port,
        **{role: ports.view_port(role) for role in ("ledger", "indexer", "notifications", "sales", "gate", "payments")},
    }
    here |= more
    config: dict[str, Any] = read_yaml((OPS / "prometheus" / "prometheus.yml").read_text())
    config |= {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(ALERTS)]}
    for job in config["scrape_configs"]:
        names = [f"{name}:" for some in job.pop("dns_sd_configs", ()) for name in some["names"]]
        for group in job.setdefault("static_configs", [{"targets": names}]):
            names = [target.partition(":")[0] for target in group["targets"]]
            group["targets"] = [f"{HOST}:{here[name]}" for name in names if name in here]
    config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [f"{HOST}:{here['alertmanager']}"]}]}]
    return config


def alertmanager_configuration(pipeline: Pipeline) -> str:
    """The configuration of the deployment, with the pipeline's mail server."""
    text = (OPS / "alertmanager" / "alertmanager.yml").read_text()
    return text.replace("mail:1025", f"{HOST}:{pipeline.stack.settings.smtp_port}").replace(
        "/etc/alertmanager/", f"{OPS}/alertmanager/"
    )


@pytest.fixture
def prometheus(pipeline: Pipeline, tmp_path: Path) -> Iterator[Prometheus]:
    """Prometheus on the pipeline, the exporter included, with Alertmanager and the host's exporter."""
    pipeline.stack.start("exporter")
    port, node, telling = free(3)
    config = configuration(pipeline, {"node-exporter": node, "alertmanager": telling})
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    (tmp_path / "alertmanager.yml").write_text(alertmanager_configuration(pipeline))
    collectors = [f"--{word}" for word in ("collector.disable-defaults", "collector.filesystem", "collector.meminfo")]
    teller, templates = alertmanager(tmp_path)
    processes = [
        subprocess.Popen((*command, *options, f"--web.listen-address={HOST}:{own}", "--log.level=warn"), cwd=templates)
        for command, own, options in (
            # It finds Alertmanager seconds after the first alert, which it sends again once a minute by itself.
            (
                program("prometheus"),
                port,
                [*_files(tmp_path, "prometheus", "storage.tsdb.path"), "--rules.alert.resend-delay=1s"],
            ),
            (program("prometheus-node-exporter"), node, collectors),
            (teller, telling, [*_files(tmp_path, "alertmanager", "storage.path"), "--cluster.listen-address="]),
        )
    ]
    try:
        prometheus = Prometheus(f"http://{HOST}:{port}")
        eventually(prometheus.is_ready, within=30)
        yield prometheus
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)
        pipeline.stack.stop("exporter")


def _files(folder: Path, name: str, data: str) -> list[str]:
    return [f"--config.file={folder / name}.yml", f"--{data}={folder / name}-data"]


def sell(pipeline: Pipeline) -> None:
    """Purchases, refusals and a mail, so that there is something to count."""
    event, [kind] = pipeline.event(2)
    account = pipeline.account()
    statuses = [pipeline.buy(event, kind, 2, account).status_code for _ in range(2)]
    assert statuses == [201, 409]
    eventually(lambda: pipeline.mails(pipeline.title(event)), within=30)


def wait_for_a_server(pipeline: Pipeline, prometheus: Prometheus) -> None:
    """Take the mail server away until Prometheus has seen that somebody waits for it."""
    event, [kind] = pipeline.event(2)
    pipeline.stack.kill("smtp")
    try:
        assert pipeline.buy(event, kind, 1, pipeline.account()).status_code == 201
        eventually(lambda: prometheus.ask("query", query=f"{WAITING_SECONDS.name} > 0")["result"], within=30)
    finally:
        pipeline.stack.start("smtp")
    eventually(lambda: pipeline.mails(pipeline.title(event)), within=30)


def end_a_worker(pipeline: Pipeline) -> None:
    """Let a worker begin anew as after it has ended itself."""
    pipeline.stack.stop("sales-0")
    (pipeline.stack.settings.home / "sales-0" / FILE_NAME).write_text(f"agent sales\t{uuid4().hex}\n")
    pipeline.stack.start("sales-0")


def test_a_real_prometheus_sees_every_metric_and_can_answer_every_query(
    pipeline: Pipeline, prometheus: Prometheus
) -> None:
    # Before the mail server is taken away, which forgets its mails.
    eventually(lambda: pipeline.mails("[firing] Watchdog (watchdog)"), within=30)
    sell(pipeline)
    wait_for_a_server(pipeline, prometheus)
    end_a_worker(pipeline)

    def all_seen() -> bool:
        assert prometheus.labels("up == 0") == []
        missing = [each.name for each in EVERY if not prometheus.labels(_first_series(each))]
        assert missing == []
        return True

    eventually(all_seen, within=45, pause=0.5)
    seen = _series(prometheus)
    assert _unknown(seen) == []
    for query in (*alert_queries(), *dashboard_queries()):
        prometheus.ask("query", query=query.text)
        assert wrong(query, seen) == []
    rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    assert {(rule["name"], rule["health"]) for rule in rules} == {(query.place, "ok") for query in alert_queries()}
    assert_sums(pipeline, prometheus)


def assert_sums(pipeline: Pipeline, prometheus: Prometheus) -> None:
    """What is told of all events grows by what is offered and sold of one, whether that is told by name or not."""

    def tickets() -> dict[str, float]:
        told = prometheus.ask("query", query="sum by (state) (turnstile_event_tickets)")["result"]
        return {each["metric"]["state"]: float(each["value"][1]) for each in told}

    before = tickets()
    event, [kind] = pipeline.event(5)
    assert pipeline.buy(event, kind, 3, pipeline.account()).status_code == 201

    def grown() -> bool:
        now = tickets()
        return {state: now[state] - before[state] for state in ("offered", "sold")} == {"offered": 5, "sold": 3}

    eventually(grown, within=20, pause=0.5)


def _first_series(metric: Any) -> str:
    return f"{metric.name}_count" if metric.kind == "histogram" else str(metric.name)


def _series(prometheus: Prometheus) -> dict[str, frozenset[str]]:
    """Every series that Prometheus has, with its labels less those that it adds itself."""
    found: dict[str, frozenset[str]] = {}
    for each in prometheus.ask("series", **{"match[]": '{__name__=~".+"}'}):
        labels = frozenset(each) - ADDED - {"__name__"}
        found[each["__name__"]] = found.get(each["__name__"], frozenset()) | labels
    return found


def _unknown(seen: dict[str, frozenset[str]]) -> list[str]:
    """What our parts export and no definition has, by name or by label."""
    known: dict[str, set[str]] = {}
    for metric in EVERY:
        parts = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        known |= {
            f"{metric.name}{part}": set(metric.labels) | ({"le"} if part == "_bucket" else set()) for part in parts
        }
    return [name for name, labels in seen.items() if name.startswith(OURS) and set(labels) != known.get(name)]


def test_the_public_port_of_the_api_tells_no_metrics(pipeline: Pipeline) -> None:
    assert httpx.get(f"{pipeline.api}/metrics", timeout=10, trust_env=False).status_code == 404


def test_a_query_of_what_nobody_exports_would_be_found() -> None:
    assert wrong(Query("here", "turnstile_nothing", frozenset()), {"up": frozenset()})
