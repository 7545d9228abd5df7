"""A seed makes the same workload again, and in time it has everything."""

from lab.chaos.workload.disturbers import POISONED
from lab.chaos.workload.payers import CHOICES
from lab.chaos.workload.producers import CODECS
from lab.chaos.workload.workload import Workload


def test_a_seed_makes_the_same_load_again_and_another_seed_another() -> None:
    assert Workload(5, 30, 4).operations == Workload(5, 30, 4).operations
    assert Workload(5, 30, 4).operations != Workload(6, 30, 4).operations
    assert Workload(5, 30, 4).catalogue.shows == Workload(5, 30, 4).catalogue.shows


def test_acts_come_in_the_order_of_their_times_each_with_a_number_of_its_own() -> None:
    operations = Workload(5, 60, 4).operations
    assert [operation.at for operation in operations] == sorted(operation.at for operation in operations)
    assert len({operation.n for operation in operations}) == len(operations)


def test_no_event_is_bought_before_it_is_made() -> None:
    workload = Workload(5, 120, 4)
    made = {show.id: show.at for show in workload.catalogue.shows}
    assert all(
        operation.at > made[operation.body["eventId"]]
        for operation in workload.operations
        if operation.name == "buy" and operation.body
    )


def test_ten_minutes_have_everything_that_can_be_done() -> None:
    operations = Workload(5, 600, 4).operations
    assert {operation.name for operation in operations} == {
        "buy", "hold", "again", "other-body", "confirm", "cancel", "pay", "confirm-elsewhere", "read", "search",
        "intrude", "make-event", "change", "status", "command", "aborted", "poison", "bomb", "copy",
    }  # fmt: skip
    assert {operation.topic for operation in operations if operation.name == "poison"} == set(POISONED)
    assert {operation.value for operation in operations if operation.name == "pay"} == set(CHOICES)
    assert any(operation.times > 1 for operation in operations)
    assert any(operation.partition is not None for operation in operations if operation.name == "command")
    assert {operation.codec for operation in operations if operation.name == "command"} == {"", *CODECS}
    assert {operation.ends for operation in operations if operation.name == "command"} == {"", "commit"}
    assert {operation.ends for operation in operations if operation.name == "aborted"} == {"abort"}
    assert any(operation.odd_header for operation in operations if operation.name == "poison")
    assert any("Mars" in (operation.value or "") for operation in operations if operation.name == "poison")
    holds = [operation for operation in operations if operation.name == "hold" and operation.body]
    assert {bool((operation.body or {}).get("holdSeconds")) for operation in holds} == {True, False}
    parts = [
        operation.value
        for operation in operations
        if operation.name == "command" and operation.value and '"request"' in operation.value
    ]
    assert len(set(parts)) < len(parts)
    assert any(operation.key and operation.body for operation in operations if operation.name == "cancel")
    assert any('"cancel"' in (operation.value or "") for operation in operations if operation.name == "poison")
