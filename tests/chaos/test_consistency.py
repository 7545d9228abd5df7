"""The worker's table, the changelog and a replay of the log into an empty state are the same, byte by byte."""

from tests.chaos.history import History
from tests.chaos.rebuilt import Rebuilt, folder, holds
from tests.chaos.sale import Sale
from tests.chaos.world import World


def test_folder_changelog_and_replay_are_the_same_bytes_and_so_are_the_outcomes(world: World) -> None:
    sale = Sale(world)
    sale.go_on(800)
    world.start()
    sale.go_on(800)
    sale.cancel(sale.events[0])
    world.settle()
    world.stop()

    history = world.history()
    for partition in range(world.partitions):
        replay = same_tables(world, history, partition)
        assert [row.value for row in history.outcomes if row.partition == partition] == replay.outcomes


def test_after_crashes_the_tables_are_still_the_same_bytes(world: World) -> None:
    sale = Sale(world)
    for trap in ("within purchases:4", "after events:8"):
        sale.go_on(600)
        world.start(trap=trap, ready=False)
        world.ended()
    sale.cancel(sale.events[0])
    world.start()
    world.settle()
    world.stop()

    history = world.history()
    for partition in range(world.partitions):
        same_tables(world, history, partition)


def same_tables(world: World, history: History, partition: int) -> Rebuilt:
    replay = Rebuilt().replay([row for row in history.commands if row.partition == partition])
    changelog = {key: value for (number, key), value in history.table.items() if number == partition}
    table, index = folder(world, partition)
    assert table == changelog == replay.table
    assert index == holds(replay.table)
    return replay
