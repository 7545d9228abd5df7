"""A worker waits until every topic is there with a number of partitions with which it can work."""

from typing import Any

import pytest
from kafka.errors import KafkaConnectionError

from connect.topics import (
    ACCOUNT_ROWS,
    COMMANDS,
    EVENT_STATUS,
    HEARTBEAT,
    HEARTBEAT_ROWS,
    OUTCOMES,
    all_topics,
    changelog,
    requests,
)
from settings import Settings
from streams.runtime.provisioning import wait_until_provisioned

LEDGER_TABLE = changelog("ledger")
SETTINGS = Settings(ticket_key="k" * 32, partitions=4)


class FakeConsumer:
    def __init__(self, partitions: dict[str, int]) -> None:
        self.partitions = partitions

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self.partitions[topic])) if topic in self.partitions else None

    def close(self) -> None: ...


def partition_counts(**changes: int) -> dict[str, int]:
    return {topic.name: topic.partitions or 4 for topic in all_topics()} | changes


def problems(*looks: dict[str, int] | Exception, role: str = "ledger") -> list[str]:
    """What is told to a role while Kafka is like this, one look after the other; at last all is well."""
    found = iter([*looks, partition_counts()])

    def connect(_: Settings) -> Any:
        topics = next(found)
        if isinstance(topics, Exception):
            raise topics
        return FakeConsumer(topics)

    told: list[str] = []
    wait_until_provisioned(SETTINGS.model_copy(update={"role": role}), told.append, connect=connect, pause_s=0)
    return told


def test_a_worker_starts_when_every_topic_is_as_it_has_to_be() -> None:
    assert problems() == []


def test_missing_topics_are_named_with_what_makes_them() -> None:
    topics = {name: count for name, count in partition_counts().items() if name not in (COMMANDS, OUTCOMES)}
    [problem] = problems(topics)
    assert set(problem.removeprefix("missing: ").partition(";")[0].split(", ")) == {COMMANDS, OUTCOMES}
    assert problem.endswith("`python -m connect` makes them")


@pytest.mark.parametrize(
    ("role", "counts", "named"),
    [
        ("ledger", {COMMANDS: 8, LEDGER_TABLE: 8}, f"{COMMANDS} has 8"),
        ("sales", {COMMANDS: 8, LEDGER_TABLE: 8}, f"{COMMANDS} has 8"),
        ("notifications", {ACCOUNT_ROWS: 8}, f"{ACCOUNT_ROWS} has 8"),
        ("gate", {requests("kiosk"): 8}, f"{requests('kiosk')} has 8"),
        ("sales", {LEDGER_TABLE: 2}, f"{LEDGER_TABLE} has 2"),
    ],
)
def test_a_number_of_partitions_with_which_a_role_can_not_work_is_told(
    role: str, counts: dict[str, int], named: str
) -> None:
    assert problems(partition_counts(**counts), role=role) == [
        f"topic {named} partitions, not 4; see Partitions were added in docs/operations.md"
    ]


@pytest.mark.parametrize(
    ("role", "counts"),
    [
        ("ledger", {COMMANDS: 8}),
        ("ledger", {LEDGER_TABLE: 8}),
        ("ledger", {EVENT_STATUS: 8, ACCOUNT_ROWS: 8}),
        ("notifications", {OUTCOMES: 8, EVENT_STATUS: 8, requests("kiosk"): 8}),
        ("sales", {HEARTBEAT: 4, HEARTBEAT_ROWS: 4, "dlq.sales": 8}),
    ],
)
def test_partitions_that_somebody_has_added_stop_nobody_who_can_work_without_them(
    role: str, counts: dict[str, int]
) -> None:
    assert problems(partition_counts(**counts), role=role) == []


def test_a_broker_that_does_not_answer_is_waited_for_and_named_with_its_setting() -> None:
    problem = "Kafka at 127.0.0.1:19092 (TURNSTILE_KAFKA_SERVERS) does not answer (KafkaConnectionError)"
    assert problems(KafkaConnectionError(), KafkaConnectionError()) == [problem, problem]
