"""The page of metrics is that of the code; the exporter tells what it can and is held up by nothing."""

from collections.abc import Iterator
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client import Metric as Family

from connect.observe.ages import OldestRecords
from ops.exporter import Exporter
from stack.java import RULES
from telemetry.metrics import exporter as exporter_metrics
from telemetry.metrics.names import EVERY
from tests.yaml_files import read_yaml


@pytest.mark.parametrize("server", ["kafka", "connect"])
def test_the_agents_rules_make_the_metrics_that_are_defined(server: str) -> None:
    rules = read_yaml((RULES / f"jmx-{server}.yml").read_text())["rules"]
    made = {rule["name"]: (rule["type"].lower(), set(rule.get("labels", {}))) for rule in rules}
    assert made == {each.name: (each.kind, set(each.labels)) for each in EVERY if each.part == server}


def test_no_port_that_tells_metrics_is_published(services: dict[str, Any]) -> None:
    published = {port.rpartition(":")[2] for service in services.values() for port in service.get("ports", ())}
    assert not published & {"9100", "9101", "9404", "6066"}


class FakeSource:
    """Answers unless told not to."""

    name = "postgres"

    def __init__(self) -> None:
        self.up = True
        self.closed = 0

    def look(self) -> Iterator[Family]:
        yield exporter_metrics.OUTBOX_ROWS.one(7)
        if not self.up:
            raise ConnectionError("gone")

    def close(self) -> None:
        self.closed += 1


def value(exporter: Exporter, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(exporter)  # type: ignore[arg-type,unused-ignore]
    return registry.get_sample_value(name, labels)


def test_of_a_source_that_does_not_answer_nothing_is_told_but_that(caplog: pytest.LogCaptureFixture) -> None:
    source = FakeSource()
    exporter = Exporter([source], pause=0.01)
    assert value(exporter, "turnstile_source_up", source="postgres") == 0
    exporter.look(source)
    assert value(exporter, "turnstile_source_up", source="postgres") == 1
    assert value(exporter, "turnstile_outbox_rows") == 7
    source.up = False
    for _ in range(3):
        exporter.look(source)
    assert value(exporter, "turnstile_source_up", source="postgres") == 0
    assert value(exporter, "turnstile_outbox_rows") is None
    assert source.closed == 3
    source.up = True
    exporter.look(source)
    assert value(exporter, "turnstile_outbox_rows") == 7
    assert [record.levelname for record in caplog.records if "answer" in record.message].count("WARNING") == 1


def test_what_a_source_said_long_ago_is_not_told_as_if_it_were_now() -> None:
    now, source = [0.0], FakeSource()
    exporter = Exporter([source], pause=0.01, clock=lambda: now[0])
    exporter.look(source)  # the next call hangs, in a thread of its own
    now[0] = 119
    assert value(exporter, "turnstile_source_up", source="postgres") == 1
    now[0] = 121
    assert value(exporter, "turnstile_source_up", source="postgres") == 0
    assert value(exporter, "turnstile_outbox_rows") is None


def test_a_source_that_hangs_does_not_keep_the_exporter_from_ending() -> None:
    asked, never = Event(), Event()

    class Hanging(FakeSource):
        def look(self) -> Iterator[Family]:
            asked.set()
            never.wait()
            yield from ()

    exporter = Exporter([Hanging()], pause=60)
    exporter.start()
    asked.wait(10)
    stopping = Thread(target=exporter.stop, args=(0.05,))
    stopping.start()
    stopping.join(10)
    ended = not stopping.is_alive()
    never.set()
    assert ended


class FakeConsumer:
    """Gives batches of records, one for each poll: those of assigned partitions that are not paused."""

    def __init__(self, *batches: dict[Any, list[Any]]) -> None:
        self.batches = list(batches)
        self.sought: dict[Any, int] = {}
        self.read: set[Any] = set()
        self.paused: set[Any] = set()

    def assign(self, places: list[Any]) -> None:
        self.read = set(places)
        self.paused &= self.read

    def pause(self, place: Any) -> None:
        self.paused.add(place)

    def seek(self, place: Any, offset: int) -> None:
        self.sought[place] = offset

    def poll(self, timeout_ms: int) -> dict[Any, list[Any]]:
        batch = self.batches.pop(0) if self.batches else {}
        return {place: records for place, records in batch.items() if place in self.read - self.paused}


def test_the_age_is_that_of_the_first_record_that_waits_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_000.0)
    oldest = OldestRecords({})
    one, other = SimpleNamespace(timestamp=900_000), SimpleNamespace(timestamp=999_000)
    batches: Any = {"a": [one, other]}, {"a": [other]}, {"b": [other]}
    consumer = FakeConsumer(*batches)
    oldest._consumer = consumer
    waiting: Any = {"a": 5, "b": 7, "c": 9}
    assert oldest.ages(waiting) == {"a": 100.0, "b": 1.0}
    assert consumer.sought == waiting
    consumer.batches += batches
    assert oldest.ages(waiting) == {"a": 100.0, "b": 1.0}
    assert oldest.ages({}) == {}
