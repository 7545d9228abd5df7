"""A worker waits until every topic is there with the right number of partitions."""

from typing import Any

from kafka.errors import KafkaConnectionError

from connect.topics import COMMANDS, HEARTBEAT, OUTCOMES, all_topics
from settings import Settings
from streams.runtime.provisioning import wait_until_provisioned

SETTINGS = Settings(ticket_key="k" * 32, partitions=4)


class FakeConsumer:
    def __init__(self, partitions: dict[str, int]) -> None:
        self.partitions = partitions

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self.partitions[topic])) if topic in self.partitions else None

    def close(self) -> None: ...


def partition_counts(**changes: int) -> dict[str, int]:
    return {topic.name: topic.partitions or 4 for topic in all_topics()} | changes


def problems(*looks: dict[str, int] | Exception) -> list[str]:
    """What is told while Kafka is like this, one look after the other; at last all is well."""
    found = iter([*looks, partition_counts()])

    def connect(_: Settings) -> Any:
        topics = next(found)
        if isinstance(topics, Exception):
            raise topics
        return FakeConsumer(topics)

    told: list[str] = []
    wait_until_provisioned(SETTINGS, told.append, connect=connect, pause_s=0)
    return told


def test_a_worker_starts_when_every_topic_is_as_it_has_to_be() -> None:
    assert problems() == []


def test_missing_topics_are_named_with_what_makes_them() -> None:
    topics = {name: count for name, count in partition_counts().items() if name not in (COMMANDS, OUTCOMES)}
    [problem] = problems(topics)
    assert set(problem.removeprefix("missing: ").partition(";")[0].split(", ")) == {COMMANDS, OUTCOMES}
    assert problem.endswith("`python -m connect` makes them")


def test_a_topic_with_other_partitions_is_named_with_both_figures() -> None:
    assert problems(partition_counts(**{COMMANDS: 8})) == [f"topic {COMMANDS} has 8 partitions, not 4"]


def test_a_topic_that_has_its_own_number_of_partitions_keeps_it() -> None:
    assert problems(partition_counts(**{HEARTBEAT: 4})) == [f"topic {HEARTBEAT} has 4 partitions, not 1"]


def test_a_broker_that_does_not_answer_is_waited_for_and_named_with_its_setting() -> None:
    problem = "Kafka at 127.0.0.1:19092 (TURNSTILE_KAFKA_SERVERS) does not answer (KafkaConnectionError)"
    assert problems(KafkaConnectionError(), KafkaConnectionError()) == [problem, problem]
