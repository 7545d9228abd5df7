"""One event for all attacks; each module has an attack of its own, since others may start workers anew in between."""

from collections.abc import Iterator

import pytest

from tests.edges.attack import Attack
from tests.edges.targets import World, new_world
from tests.pipeline import Pipeline


@pytest.fixture(scope="session")
def world(pipeline: Pipeline) -> World:
    return new_world(pipeline)


@pytest.fixture(scope="module")
def attack(pipeline: Pipeline, world: World) -> Iterator[Attack]:
    attack = Attack(pipeline, world)
    yield attack
    attack.close()
