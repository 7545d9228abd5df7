"""What the exporter makes of answers; the servers are fakes here, real ones in tests/integration/test_metrics.py."""

from collections.abc import Iterable
from typing import Any

import pytest
from kafka import TopicPartition
from prometheus_client import CollectorRegistry
from prometheus_client import Metric as Family

from connect.connectors.rest_client import ConnectorState
from connect.observe.lag import LogState, RoleGroup
from connect.topics import COMMANDS, EVENT_ROWS, dead_letters
from ops.sources import ConnectSource, KafkaSource
from settings import Settings

ROWS, MORE_ROWS, LOG = TopicPartition(EVENT_ROWS, 0), TopicPartition(EVENT_ROWS, 1), TopicPartition(COMMANDS, 0)

ENDS = {ROWS: 10, MORE_ROWS: 5, LOG: 7}


class Given:
    """A collector of families that were made before."""

    def __init__(self, families: Iterable[Family]) -> None:
        self.families = list(families)

    def collect(self) -> list[Family]:
        return self.families


def values(families: Iterable[Family]) -> Any:
    registry = CollectorRegistry()
    registry.register(Given(families))  # type: ignore[arg-type,unused-ignore]
    return registry.get_sample_value


class FakeKafka:
    """A watch, the oldest records and the dead letters in one."""

    def __init__(self) -> None:
        self.letters = 0
        self.read = 0
        self.asked: list[dict[TopicPartition, int]] = []

    def look(self) -> LogState:
        lags = {ROWS: 4, MORE_ROWS: 0}
        groups: Any = {
            "indexer": RoleGroup("Stable", 1, {EVENT_ROWS: 4}, lags),
            "ledger": RoleGroup("Empty", 0, {COMMANDS: 0}, {LOG: 0}),
        }
        return LogState({dead_letters("mailer"): self.letters}, groups, ENDS, {**ENDS, LOG: 4})

    def retention_seconds(self) -> dict[str, float]:
        return {COMMANDS: 1_209_600.0}

    def ages(self, waiting: dict[TopicPartition, int]) -> dict[TopicPartition, float]:
        self.asked.append(waiting)
        return dict.fromkeys(waiting, 12.5)

    def open(self) -> dict[str, int]:
        self.read += 1
        return {"mailer": self.letters}


@pytest.fixture
def kafka() -> FakeKafka:
    return FakeKafka()


@pytest.fixture
def source(kafka: FakeKafka) -> KafkaSource:
    source = KafkaSource(Settings(ticket_key="k" * 32))
    source._watch = source._oldest = source._letters = kafka  # type: ignore[assignment]
    return source


def test_what_waits_is_told_in_records_and_seconds(source: KafkaSource, kafka: FakeKafka) -> None:
    value = values(source.look())
    place = {"group": "turnstile-indexer", "topic": EVENT_ROWS, "partition": "0"}
    assert value("turnstile_consumer_lag_records", place) == 4
    assert value("turnstile_consumer_lag_seconds", place) == 12.5
    assert value("turnstile_consumer_lag_seconds", place | {"partition": "1"}) == 0
    assert value("turnstile_index_lag_seconds") == 12.5
    assert value("turnstile_consumer_members", {"group": "turnstile-ledger"}) == 0
    assert value("turnstile_topic_end_offset", {"topic": COMMANDS, "partition": "0"}) == 7
    assert value("turnstile_topic_retention_seconds", {"topic": COMMANDS}) == 1_209_600
    assert value("turnstile_partition_stable_lag_records", {"topic": COMMANDS, "partition": "0"}) == 3
    assert value("turnstile_partition_stable_lag_records", {"topic": EVENT_ROWS, "partition": "0"}) == 0
    # The first record that waits is the one after those that were acknowledged.
    assert {ROWS: 6} in kafka.asked


def test_dead_letters_are_read_only_where_there_is_something_new(source: KafkaSource, kafka: FakeKafka) -> None:
    for letters, read in ((0, 1), (0, 1), (2, 2), (2, 2)):
        kafka.letters = letters
        value = values(source.look())
        assert value("turnstile_dead_letters", {"consumer": "mailer"}) == letters
        assert kafka.read == read


def test_a_connector_and_its_tasks_are_in_one_state_each() -> None:
    source = ConnectSource(Settings(ticket_key="k" * 32))
    states = {
        "turnstile-event": ConnectorState(("RUNNING", "FAILED"), ""),
        "somebody-elses": ConnectorState(("FAILED",), ""),
    }
    source._worker.states = lambda: states  # type: ignore[method-assign]
    value = values(source.look())
    ours = {"connector": "turnstile-event"}
    assert value("turnstile_connector_state", ours | {"state": "RUNNING"}) == 1
    assert value("turnstile_connector_state", ours | {"state": "FAILED"}) == 0
    assert value("turnstile_connector_task_state", ours | {"task": "0", "state": "FAILED"}) == 1
    assert value("turnstile_connector_state", {"connector": "somebody-elses", "state": "FAILED"}) is None
