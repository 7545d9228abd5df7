"""A worker that ends at any of its writes leaves nothing that the next one does not repair."""

import signal

from tests.chaos.points import POINTS
from tests.chaos.rebuilt import assert_same_tables
from tests.chaos.sale import Sale
from tests.chaos.world import World


def test_a_crash_at_any_write_is_repaired_with_the_local_folder_and_without(world: World, other_world: World) -> None:
    """Each worker goes farther than the last one before it crashes, so that it crashes on what nobody decided yet."""
    worlds = (world, other_world)
    sales = [Sale(each, short=True) for each in worlds]
    for sale in sales:
        sale.go_on(1_500)
    for number, point in enumerate(POINTS):
        visit = 1 if point.endswith(("commit", "following")) else 2 + number
        if point.endswith("following"):
            for sale in sales:
                sale.cancel(sale.events.pop())
                sale.go_on(50)
        for each in worlds:
            each.start(trap=f"{point}:{visit}", ready=False)
        for each in worlds:
            assert each.ended() == -signal.SIGKILL, point
        other_world.lose_folder()
    for each in worlds:
        each.start()
    for each in worlds:
        each.rest()
        each.stop()
        history = each.audit()
        assert history.violations() == []
        for partition in range(each.partitions):
            assert_same_tables(each, history, partition)
