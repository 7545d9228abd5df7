"""A worker that ends at any of its writes leaves nothing that the next one does not repair."""

import signal

from tests.chaos.points import POINTS
from tests.chaos.sale import Sale
from tests.chaos.world import World


def test_a_crash_at_any_write_is_repaired_with_the_local_folder_and_without(world: World, other_world: World) -> None:
    """Each worker goes farther than the last one before it crashes, so that it crashes on what nobody decided yet."""
    worlds = (world, other_world)
    for each in worlds:
        sale = Sale(each, short=True)
        sale.go_on(1_500)
        sale.cancel(sale.events[0])
        each.flush()
    for number, point in enumerate(POINTS):
        visit = 1 if point.endswith(("following", "commit")) else 2 + number
        for each in worlds:
            each.start(trap=f"{point}:{visit}", ready=False)
        for each in worlds:
            assert each.ended() == -signal.SIGKILL, point
        other_world.lose_folder()
    for each in worlds:
        each.start()
    for each in worlds:
        each.rest()
        assert each.history().violations() == []
