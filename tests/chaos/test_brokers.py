"""Three brokers: each record is on all of them and counts when two have it, so one may die in the middle of a sale."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from connect.provisioning import open_admin, provision
from connect.topics import COMMANDS, TABLES, Topic, all_topics, changelog
from lab.trial_stack import TrialStack
from settings import Settings
from tests.chaos.sale import Sale
from tests.chaos.world import World
from tests.eventually import eventually

LOST = "kafka-1"
MADE = (COMMANDS, *map(changelog, TABLES))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialStack]:
    stack = TrialStack.on_free_ports(tmp_path_factory.mktemp("brokers"), brokers=3, kafka_heap="256m")
    try:
        yield stack.start(*stack.brokers)
    finally:
        stack.remove()


@pytest.fixture
def servers(cluster: TrialStack) -> str:
    return cluster.environment["TURNSTILE_KAFKA_SERVERS"]


@pytest.fixture
def settings(cluster: TrialStack) -> Settings:
    """What the parts are told, with less time for what can't be."""
    told = {name.removeprefix("TURNSTILE_").lower(): value for name, value in cluster.environment.items()}
    return Settings.model_validate(told | {"bootstrap_seconds": 30})


def in_sync(admin: KafkaAdminClient, *topics: str) -> set[int]:
    """On how many brokers the partitions of these topics are whole."""
    described: list[dict[str, Any]] = admin.describe_topics(list(topics))
    return {len(partition["isr_nodes"]) for topic in described for partition in topic["partitions"]}


def test_every_topic_is_made_with_three_replicas_of_which_two_must_have_a_record(settings: Settings) -> None:
    topics = [topic for topic in all_topics() if topic.name in MADE]
    admin: Any = open_admin(settings)
    try:
        assert set(provision(admin, topics, settings)) == set(MADE)
        eventually(lambda: in_sync(admin, *MADE) == {3}, within=30)
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in MADE]
        found = admin.describe_configs(resources, config_filter="all")["topic"]
        assert {config["min.insync.replicas"]["value"] for config in found.values()} == {"2"}
    finally:
        admin.close()


def test_a_broker_and_workers_that_come_and_go_in_a_sale_lose_nothing_and_share_alike(
    cluster: TrialStack, servers: str, tmp_path: Path
) -> None:
    world = World(servers, tmp_path, partitions=4, replicas=3)
    topics = (world.commands, world.outcomes, world.changelog)
    try:
        sale = Sale(world, 11, events=12)
        for number in range(3):
            world.start(number, ready=False)
        sale.go_on(300)
        eventually(lambda: world.shares(0, 1, 2) == [1, 1, 2], within=60)
        sale.go_on(300)
        cluster.kill(LOST)
        sale.go_on(600)
        world.kill(1)
        sale.go_on(300)
        cluster.start(LOST)
        sale.go_on(300)
        eventually(lambda: world.shares(0, 2) == [2, 2], within=60)
        world.stop(0)
        sale.go_on(300)
        world.start(1, ready=False)
        eventually(lambda: world.shares(1, 2) == [2, 2], within=60)
        world.rest()
        assert world.audit().violations() == []
        eventually(lambda: in_sync(world.admin, *topics) == {3}, within=60)
    finally:
        world.close()


def test_what_too_few_brokers_have_is_not_acknowledged(cluster: TrialStack, servers: str, settings: Settings) -> None:
    admin: Any = open_admin(settings)
    try:
        provision(admin, [Topic("scarce", partitions=1)], settings)
    finally:
        admin.close()
    quick = {"request_timeout_ms": 3_000, "delivery_timeout_ms": 6_000, "retries": 3}
    producer = KafkaProducer(bootstrap_servers=servers, acks="all", **quick)
    send = partial(producer.send, "scarce", value=b"one")
    try:
        send().get(30)
        for broker in cluster.brokers[1:]:
            cluster.pause(broker)
        with pytest.raises(KafkaError):
            send().get(30)
    finally:
        for broker in cluster.brokers[1:]:
            cluster.resume(broker)
        producer.close(timeout=5)
