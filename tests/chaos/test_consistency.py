"""The worker's table, the changelog and a replay of the log into an empty state are the same, byte by byte."""

from tests.chaos.rebuilt import assert_same_tables
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

    history = world.audit()
    for partition in range(world.partitions):
        replay = assert_same_tables(world, history, partition)
        assert [row.value for row in history.outcomes if row.partition == partition] == replay.outcomes
