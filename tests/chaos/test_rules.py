"""Each rule is needed: with it the audit finds nothing, and without it the audit finds the damage."""

import pytest

from tests.chaos.sale import Sale
from tests.chaos.seat_sale import SeatSale
from tests.chaos.world import WorkerEnded, World
from tests.eventually import eventually


def damage(world: World) -> list[str]:
    """What is wrong after all was decided, or why the worker can't go on."""
    try:
        world.settle()
    except WorkerEnded as error:
        return [str(error)]
    return world.audit().violations()


def test_event_records_before_purchase_records_lose_purchases_in_a_crash(world: World) -> None:
    Sale(world).go_on(600)
    world.start(without="record order", trap="after events:3", ready=False)
    world.ended()
    world.lose_folder()
    world.start(ready=False)
    [found] = damage(world)
    assert "InvariantBroken" in found


def sold_in_two_goes(world: World, without: str = "") -> Sale:
    """Each event's record is written twice or more, and that of many a purchase."""
    sale = Sale(world)
    sale.go_on(100)
    world.start(without=without)
    world.settle()
    sale.go_on(500)
    world.settle()
    return sale


def write_first_records(world: World, kind: bytes) -> None:
    """What a worker writes that was paused for long: the first record of each key of this kind that has newer ones."""
    history = world.audit()
    first = {row.key: row for row in reversed(history.changelog) if row.key[16:17] == kind}
    for row in first.values():
        if row.value != history.table[row.partition, row.key]:
            world.append_change(row.partition, row.key, row.value)
    assert world.audit().superseded


@pytest.mark.parametrize("without", ["", "offset rule"])
def test_late_records_of_a_stale_worker_do_harm_only_without_the_offset_rule(world: World, without: str) -> None:
    sale = sold_in_two_goes(world)
    world.kill()
    write_first_records(world, b"e")
    world.lose_folder()
    world.start(without=without)
    sale.go_on(100)
    assert bool(damage(world)) == bool(without)
    assert without or world.audit().superseded == []


@pytest.mark.parametrize("without", ["", "writing over"])
def test_a_worker_writes_over_what_a_stale_one_writes_beside_it(world: World, without: str) -> None:
    """Of purchases: nearly all of them are not changed any more, so nothing else makes their newest record the last."""
    sale = sold_in_two_goes(world, without)
    write_first_records(world, b"p")
    sale.go_on(100)
    assert damage(world) == []
    assert bool(world.audit().superseded) == bool(without)


@pytest.mark.parametrize("without", ["", "partition check"])
def test_commands_on_any_partition_do_harm_only_without_the_partition_check(world: World, without: str) -> None:
    Sale(world, scattered=True).go_on(600)
    world.start(without=without)
    assert bool(damage(world)) == bool(without)


@pytest.mark.parametrize("without", ["", "ledger memory"])
def test_purchases_sent_twice_do_harm_only_without_the_ledgers_memory(world: World, without: str) -> None:
    Sale(world).go_on(600)
    world.start(without=without)
    assert bool(damage(world)) == bool(without)


def take_up(world: World, without: str) -> None:
    """A worker has gone with its folder and commands have come since; another one takes up, and more come then."""
    sale = Sale(world)
    sale.go_on(200)
    world.start()
    world.settle()
    world.kill()
    world.lose_folder()
    sale.go_on(1_500)
    world.start(without=without, slow="1", ready=False)
    eventually(lambda: world.has_ended() or world.log().read_text().count("Worker ready") == 2, within=60)
    sale.go_on(100)


def test_commands_that_are_there_when_a_recovery_ends_are_all_decided(world: World) -> None:
    take_up(world, without="")
    assert damage(world) == []


def test_commands_that_are_there_when_a_recovery_ends_are_lost_by_the_stock_recovery(world: World) -> None:
    """Later ones are decided, and the offsets are committed or never are: both was seen."""
    take_up(world, without="safe recovery,input watch")
    eventually(world.last_is_told, within=60, pause=0.5)
    assert any("never told" in line for line in world.audit().violations())


def test_the_input_watch_ends_the_worker_before_it_commits_over_lost_commands(world: World) -> None:
    take_up(world, without="safe recovery")
    [found] = damage(world)
    assert "was due" in found


def poll_between(world: World, without: str) -> None:
    """A poll from before a rebalance brings the first commands while the worker recovers; more come later."""
    sale = Sale(world)
    sale.go_on(300)
    world.start(without=without, early="1", ready=False)
    eventually(lambda: world.has_ended() or "Worker ready" in world.log().read_text(), within=60)
    sale.go_on(100)


def test_commands_that_a_poll_brings_within_a_recovery_are_all_decided(world: World) -> None:
    poll_between(world, without="")
    assert damage(world) == []


def test_commands_that_a_poll_brings_within_a_recovery_are_lost_if_not_sought_again(world: World) -> None:
    poll_between(world, without="first seek,input watch")
    assert any("never told" in line for line in damage(world))


def test_the_input_watch_knows_the_first_command_of_a_partition(world: World) -> None:
    poll_between(world, without="first seek")
    [found] = damage(world)
    assert "offset 0 was due," in found


@pytest.mark.parametrize("without", ["", "occupancy check", "orphan rule"])
def test_seats_are_sold_wrongly_only_without_their_rules(world: World, without: str) -> None:
    SeatSale(world).go_on(600)
    world.start(without=without)
    found = damage(world)
    words = {"occupancy check": "has two holders", "orphan rule": "seats=('"}
    assert any(words[without] in line for line in found) if without else found == []


def test_seats_of_a_worker_that_is_killed_and_loses_its_folder_are_all_there(world: World) -> None:
    sale = SeatSale(world)
    sale.go_on(300)
    for _ in range(3):
        world.start()
        sale.go_on(200)
        world.kill()
        world.lose_folder()
    world.start()
    world.settle()
    audit = world.audit()
    assert (audit.violations(), audit.superseded) == ([], [])
    assert audit.seat_map.holders
