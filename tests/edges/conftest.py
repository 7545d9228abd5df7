"""One event for all attacks; each module has an attack of its own, since others may start workers anew in between."""

from collections.abc import Iterator

import pytest

from tests.edges.attack import Attack
from tests.edges.targets import World, log_position, new_world
from tests.pipeline import Pipeline


@pytest.fixture(scope="session")
def world(pipeline: Pipeline) -> World:
    return new_world(pipeline)


@pytest.fixture(scope="module")
def attack(pipeline: Pipeline, world: World) -> Iterator[Attack]:
    # An index that was built anew holds all that was before it, and takes no row from an earlier place in the log.
    attack = Attack(pipeline, world._replace(position=log_position(pipeline)))
    yield attack
    attack.close()
