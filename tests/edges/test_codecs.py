"""Every codec of Kafka, whoever chooses it: the producer's are rows of test_records; here the topic and the broker."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from connect.topics import RETRIES
from tests.edges.attack import Attack, Sent
from tests.edges.inputs import good
from tests.edges.targets import TARGETS
from tests.eventually import eventually

CODECS = ("gzip", "snappy", "lz4", "zstd")
PROMPT = [target for target in TARGETS if target.topic != RETRIES]
TOPICS = [(ConfigResourceType.TOPIC, target.topic) for target in PROMPT]
BROKERS = [(ConfigResourceType.BROKER, "1")]


@pytest.fixture
def admin(attack: Attack) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(bootstrap_servers=attack.pipeline.kafka)
    yield admin
    for resources in (TOPICS, BROKERS):
        choose(admin, resources, ("DELETE", None))
    admin.close()


def choose(admin: KafkaAdminClient, resources: list[tuple[Any, str]], codec: Any) -> None:
    """Let these compress what they are sent, or let the producer choose again."""
    admin.alter_configs([ConfigResource(kind, name, configs={"compression.type": codec}) for kind, name in resources])


@pytest.mark.parametrize("resources", [TOPICS, BROKERS], ids=["topic", "broker"])
def test_every_codec_is_read_on_every_topic(
    attack: Attack, admin: KafkaAdminClient, resources: list[tuple[Any, str]]
) -> None:
    sent: list[Sent] = []
    for codec in CODECS:
        choose(admin, resources, ("SET", codec))
        sent += attack.send_all([(each, mark := uuid4(), good(each, attack.world, mark)) for each in PROMPT])

    def all_had_effect() -> bool:
        missing = {one.target.topic: one for one in sent if not attack.is_taken(one)}
        assert missing == {}
        return True

    eventually(all_had_effect, within=30, pause=0.2)
    assert attack.ended() == []
