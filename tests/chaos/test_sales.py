"""Sales on workers that are killed, paused, added and taken away: nothing is lost, nothing decided twice."""

import signal
import time
from pathlib import Path
from random import Random

from lab.trial_stack import TrialStack
from streams.runtime.failstop import EXIT_STATUS
from tests.chaos.sale import Sale
from tests.chaos.world import World
from tests.eventually import eventually

WAITS = "retrying until it works"
# Longer than a hasty worker's writes are tried.
LONGER_S = 3.0


def test_the_only_worker_killed_at_any_time(world: World) -> None:
    random = Random(7)
    sale = Sale(world, 7, short=True)
    for number in range(6):
        world.start(ready=number % 2 == 0)
        sale.go_on(400)
        time.sleep(random.uniform(0, 1.5))
        world.kill()
        if number % 3 == 2:
            world.lose_folder()
    sale.cancel(sale.events[0])
    world.start()
    world.rest()
    assert world.audit().violations() == []


def test_two_workers_that_come_and_go_are_paused_and_killed_while_commands_pour_in(broker: str, tmp_path: Path) -> None:
    world = World(broker, tmp_path, partitions=4)
    try:
        come_and_go(world)
        history = world.audit()
        assert (history.violations(), history.superseded) == ([], [])
    finally:
        world.close()


def come_and_go(world: World) -> None:
    sale = Sale(world, 8, events=8, short=True)
    world.start(0, ready=False)
    sale.go_on(300)
    # The second stops itself between deciding a batch and telling of it.
    world.start(1, ready=False, trap="before purchases:5", effect="stop")
    while not world.stopped(1):
        sale.go_on(200)
        world.kill(0)
        world.start(0)
    sale.go_on(300)
    world.settle()
    sale.go_on(300)
    world.signal(1, signal.SIGCONT)
    sale.go_on(300)
    world.stop(0)
    sale.go_on(300)
    world.start(0)
    sale.go_on(300)
    world.kill(1)
    sale.go_on(300)
    world.start(1)
    sale.go_on(300)
    world.settle()
    world.kill(0)
    world.kill(1)
    world.lose_folder(0)
    world.start(0)
    sale.go_on(100)
    world.rest()


def test_a_worker_that_has_lost_its_group_ends_itself(world: World) -> None:
    world.start(alone="1", ready=False)
    assert world.ended() == EXIT_STATUS


def test_a_broker_that_is_away_for_longer_than_a_write_waits_is_waited_for(kafka: TrialStack, world: World) -> None:
    sale = Sale(world, 9, short=True)
    world.start(slow="1", hasty="1")
    sale.go_on(600)
    kafka.processes["kafka"].send_signal(signal.SIGSTOP)
    try:
        eventually(lambda: WAITS in world.log().read_text(), within=30)
        time.sleep(LONGER_S)
    finally:
        kafka.processes["kafka"].send_signal(signal.SIGCONT)
    world.rest()
    assert world.audit().violations() == []
