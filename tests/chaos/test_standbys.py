"""Warm copies: who joins or takes over has nearly everything already."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.sale import Sale
from tests.chaos.world import World
from tests.eventually import eventually

PARTITIONS = 4


@pytest.fixture
def wide_world(broker: str, tmp_path: Path) -> Any:
    world = World(broker, tmp_path, partitions=PARTITIONS)
    yield world
    world.close()


def has_caught_up(world: World, number: int) -> bool:
    """Whether a worker has copies of all that it does not decide, and they are whole."""
    copies = world.view(number)["standsBy"]
    ends = world.changelog_ends()
    return bool(copies) and all(mark == ends[int(partition)] - 1 for partition, mark in copies.items())


def changes_read(world: World, number: int) -> list[int]:
    """How many changelog records each of the worker's recoveries has read."""
    return [int(count) for count in re.findall(r"changelog: all (\d+) read", world.log(number).read_text())]


def test_a_worker_that_joins_or_takes_over_has_read_nearly_everything_before(wide_world: World) -> None:
    world = wide_world
    world.start(0)
    sale = Sale(world, 23, events=12)
    sale.go_on(500)
    world.settle()
    # Once it has joined, it sets limits on holds of its own.
    all_that_there_is = sum(world.changelog_ends())
    world.start(1)
    eventually(lambda: world.shares(0, 1) == [2, 2], within=60)
    before_it_joined, *after = changes_read(world, 1)
    assert (before_it_joined, sum(after)) == (all_that_there_is, 0)

    sale.go_on(500)
    world.settle()
    eventually(lambda: has_caught_up(world, 1), within=30)
    world.kill(0)
    eventually(lambda: world.shares(1) == [PARTITIONS], within=60)
    sale.go_on(50)
    world.rest()
    assert (changes_read(world, 1)[0], sum(changes_read(world, 1)[1:])) == (before_it_joined, 0)
    assert world.audit().violations() == []
