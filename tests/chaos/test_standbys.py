"""Three workers and warm copies: shares are even, and who takes over has nearly everything already."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from stack.server import HOST
from tests.chaos.sale import Sale
from tests.chaos.world import World
from tests.eventually import eventually

PARTITIONS = 4


@pytest.fixture
def wide_world(broker: str, tmp_path: Path) -> Any:
    world = World(broker, tmp_path, partitions=PARTITIONS)
    yield world
    world.close()


def view(world: World, number: int) -> dict[str, Any]:
    """What a worker says of itself; nothing while it can't be asked."""
    try:
        answer = httpx.get(f"http://{HOST}:{world.ports[number]}/api/worker/", timeout=2, trust_env=False)
    except httpx.TransportError:
        return {"decides": {}, "standsBy": {}}
    found: dict[str, Any] = answer.json() if answer.is_success else {"decides": {}, "standsBy": {}}
    return found


def shares(world: World, *numbers: int) -> list[int]:
    """How many partitions each decides, once every partition is decided by one of them."""
    views = [view(world, number) for number in numbers]
    decided = [partition for one in views for partition in one["decides"]]
    return sorted(len(one["decides"]) for one in views) if sorted(decided) == list("0123") else []


def has_caught_up(world: World, number: int) -> bool:
    """Whether a worker has copies of all that it does not decide, and they are whole."""
    copies = view(world, number)["standsBy"]
    ends = world.changelog_ends()
    return bool(copies) and all(mark == ends[int(partition)] - 1 for partition, mark in copies.items())


def changes_read(world: World, number: int) -> list[int]:
    """How many changelog records each of the worker's recoveries has read."""
    return [int(count) for count in re.findall(r"changelog: all (\d+) read", world.log(number).read_text())]


def test_three_workers_come_and_go_in_a_sale_with_even_shares_and_nothing_lost(wide_world: World) -> None:
    world = wide_world
    sale = Sale(world, 21, events=12)
    world.start(0)
    sale.go_on(300)
    world.start(1)
    sale.go_on(300)
    world.start(2)
    sale.go_on(300)
    eventually(lambda: shares(world, 0, 1, 2) == [1, 1, 2], within=60)
    world.kill(0)
    sale.go_on(300)
    eventually(lambda: shares(world, 1, 2) == [2, 2], within=60)
    world.start(0)
    sale.go_on(300)
    world.stop(1)
    sale.go_on(300)
    eventually(lambda: shares(world, 0, 2) == [2, 2], within=60)
    world.rest()
    assert world.history().violations() == []


def test_a_worker_that_joins_has_read_everything_before(wide_world: World) -> None:
    world = wide_world
    world.start(0)
    sale = Sale(world, 23, events=12)
    sale.go_on(500)
    world.settle()
    world.start(1)
    eventually(lambda: shares(world, 0, 1) == [2, 2], within=60)
    before_it_joined, *after = changes_read(world, 1)
    assert (before_it_joined, sum(after)) == (sum(world.changelog_ends()), 0)


@pytest.mark.parametrize("copies", [1, 0])
def test_who_stands_by_reads_next_to_nothing_to_take_over(
    wide_world: World, monkeypatch: pytest.MonkeyPatch, copies: int
) -> None:
    monkeypatch.setenv("TURNSTILE_STANDBYS", str(copies))
    world = wide_world
    world.start(0)
    world.start(1)
    eventually(lambda: shares(world, 0, 1) == [2, 2], within=60)
    sale = Sale(world, 22, events=12)
    sale.go_on(1_500)
    world.settle()
    theirs = [int(partition) for partition in view(world, 1)["decides"]]
    if copies:
        eventually(lambda: has_caught_up(world, 0), within=30)
    written = sum(world.changelog_ends()[partition] for partition in theirs)
    before = len(changes_read(world, 0))

    world.kill(1)
    eventually(lambda: shares(world, 0) == [PARTITIONS], within=60)
    sale.go_on(50)
    world.rest()

    read = sum(changes_read(world, 0)[before:])
    assert read == (0 if copies else written)
    assert world.history().violations() == []
