"""Each rule is needed: with it the audit finds nothing, and without it the audit finds the damage."""

import pytest

from tests.chaos.sale import Sale
from tests.chaos.world import WorkerEnded, World


def damage(world: World) -> list[str]:
    """What is wrong after all was decided, or why the worker can't go on."""
    try:
        world.settle()
    except WorkerEnded as error:
        return [str(error)]
    return world.history().violations()


def test_event_records_before_purchase_records_lose_purchases_in_a_crash(world: World) -> None:
    Sale(world).go_on(600)
    world.start(without="record order", trap="after events:3", ready=False)
    world.ended()
    world.lose_folder()
    world.start(ready=False)
    [found] = damage(world)
    assert "InvariantBroken" in found


@pytest.mark.parametrize("without", ["", "offset rule"])
def test_late_records_of_a_stale_worker_do_harm_only_without_the_offset_rule(world: World, without: str) -> None:
    sale = Sale(world)
    sale.go_on(600)
    world.start()
    world.settle()
    world.kill()
    written: set[bytes] = set()
    for row in world.history().changelog:
        if row.key[16:17] == b"e" and row.key not in written:
            written.add(row.key)
            world.append_change(row.partition, row.key, row.value)
    assert world.history().superseded
    world.lose_folder()
    world.start(without=without)
    sale.go_on(100)
    assert bool(damage(world)) == bool(without)
    assert without or world.history().superseded == []


def test_a_worker_writes_over_what_a_stale_one_writes_beside_it(world: World) -> None:
    sale = Sale(world)
    sale.go_on(300)
    world.start()
    world.settle()
    first = {row.key: row for row in reversed(world.history().changelog) if row.key[16:17] == b"p"}
    events = {row.key: row for row in reversed(world.history().changelog) if row.key[16:17] == b"e"}
    for row in [*events.values(), *list(first.values())[:20]]:
        world.append_change(row.partition, row.key, row.value)
    assert world.history().superseded
    sale.go_on(100)
    assert damage(world) == []
    assert world.history().superseded == []


@pytest.mark.parametrize("without", ["", "partition check"])
def test_commands_on_any_partition_do_harm_only_without_the_partition_check(world: World, without: str) -> None:
    Sale(world, scattered=True).go_on(600)
    world.start(without=without)
    assert bool(damage(world)) == bool(without)


def backlog(world: World) -> None:
    """A worker has gone with its folder, and commands have come since."""
    sale = Sale(world)
    sale.go_on(200)
    world.start()
    world.settle()
    world.kill()
    world.lose_folder()
    sale.go_on(1_500)


@pytest.mark.parametrize("without", ["", "safe recovery,input watch"])
def test_commands_that_flow_before_a_recovery_has_ended_are_lost_only_with_stock_recovery(
    world: World, without: str
) -> None:
    backlog(world)
    world.start(without=without, slow="1")
    found = damage(world)
    assert bool(found) == bool(without)
    assert any("never told" in line for line in found) == bool(without)


def test_the_input_watch_ends_the_worker_before_it_commits_over_lost_commands(world: World) -> None:
    backlog(world)
    world.start(without="safe recovery", slow="1", ready=False)
    [found] = damage(world)
    assert "was due" in found
