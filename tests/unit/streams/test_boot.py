from typing import Any

import pytest
from kafka.errors import KafkaConnectionError

from connect.topics import COMMANDS, HEARTBEAT, catalogue
from settings import Settings
from streams.boot import NotProvisioned, wait_until_provisioned

SETTINGS = Settings(ticket_key="k" * 32, partitions=4)


class FakeConsumer:
    def __init__(self, partitions: dict[str, int]) -> None:
        self.partitions = partitions

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self.partitions[topic])) if topic in self.partitions else None

    def close(self) -> None: ...


def all_topics(**changes: int) -> dict[str, int]:
    return {topic.name: topic.partitions or 4 for topic in catalogue()} | changes


def test_a_worker_starts_when_every_topic_is_as_it_has_to_be() -> None:
    wait_until_provisioned(SETTINGS, within=0, connect=lambda _: FakeConsumer(all_topics()))


def test_a_missing_topic_is_named() -> None:
    topics = all_topics()
    del topics[COMMANDS]

    with pytest.raises(NotProvisioned, match=f"topic {COMMANDS} is missing"):
        wait_until_provisioned(SETTINGS, within=0, connect=lambda _: FakeConsumer(topics))


def test_a_topic_with_other_partitions_is_named_with_both_figures() -> None:
    topics = all_topics(**{COMMANDS: 8})

    with pytest.raises(NotProvisioned, match=f"topic {COMMANDS} has 8 partitions, not 4"):
        wait_until_provisioned(SETTINGS, within=0, connect=lambda _: FakeConsumer(topics))


def test_a_topic_that_has_its_own_number_of_partitions_keeps_it() -> None:
    with pytest.raises(NotProvisioned, match=f"topic {HEARTBEAT} has 4 partitions, not 1"):
        wait_until_provisioned(SETTINGS, within=0, connect=lambda _: FakeConsumer(all_topics(**{HEARTBEAT: 4})))


def test_a_broker_that_does_not_answer_is_named_with_its_setting() -> None:
    def refuse(_: Settings) -> Any:
        raise KafkaConnectionError

    with pytest.raises(NotProvisioned, match="TURNSTILE_KAFKA_SERVERS"):
        wait_until_provisioned(SETTINGS, within=0, connect=refuse)
