"""One broker for all worlds; each test has a world of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.trial_stack import TrialStack
from stack.member import HOST
from tests.chaos.world import World


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialStack]:
    """Kafka alone."""
    stack = TrialStack.on_free_ports(tmp_path_factory.mktemp("chaos"))
    try:
        yield stack.start("kafka")
    finally:
        stack.remove()


@pytest.fixture(scope="session")
def broker(kafka: TrialStack) -> str:
    """Its address."""
    return f"{HOST}:{kafka.settings.kafka_port}"


@pytest.fixture
def world(broker: str, tmp_path: Path) -> Iterator[World]:
    """A world without workers."""
    world = World(broker, tmp_path)
    yield world
    world.close()


@pytest.fixture
def other_world(broker: str, tmp_path: Path) -> Iterator[World]:
    """Another one."""
    world = World(broker, tmp_path)
    yield world
    world.close()
