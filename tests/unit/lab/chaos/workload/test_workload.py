"""A seed makes the same workload again, and in time it has everything."""

import json
from typing import Any
from uuid import UUID

import msgspec
import pytest

from api.organizing.seating import hall_of, sections_of
from api.schemas.seating import NewSeating
from lab.chaos.workload.disturbers import POISONED
from lab.chaos.workload.halls import BEST
from lab.chaos.workload.payers import CHOICES
from lab.chaos.workload.producers import CODECS
from lab.chaos.workload.workload import Workload
from tables.seating.plan import check_hall


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


@pytest.fixture(scope="module")
def ten_minutes() -> Workload:
    return Workload(5, 600, 4)


def test_ten_minutes_have_everything_that_can_be_done(ten_minutes: Workload) -> None:
    operations = ten_minutes.operations
    assert {operation.name for operation in operations} == {
        "buy", "hold", "again", "other-body", "confirm", "cancel", "pay", "refund", "confirm-elsewhere", "read",
        "search", "intrude", "make-event", "plan", "change", "status", "exchange", "command", "aborted", "poison",
        "bomb", "copy",
    }  # fmt: skip
    assert {operation.topic for operation in operations if operation.name == "poison"} == set(POISONED)
    assert {operation.value for operation in operations if operation.name == "pay"} == set(CHOICES)
    refunds = [operation for operation in operations if operation.name == "refund" and operation.body]
    assert {"amount" in (each.body or {}) for each in refunds} == {True, False}
    assert len({each.key for each in refunds}) < len(refunds)
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


def lines_of(workload: Workload) -> list[dict[str, Any]]:
    """The lines of all that was bought, by REST and by the log."""
    bodies = [operation.body for operation in workload.operations if operation.name in ("buy", "hold")]
    logged = [json.loads(operation.value or "{}") for operation in workload.operations if operation.name == "command"]
    return [line for body in (*bodies, *logged) for line in (body or {}).get("lines", ())]


def test_halls_are_asked_for_in_every_way_beside_what_is_only_counted(ten_minutes: Workload) -> None:
    workload = ten_minutes
    lines = lines_of(workload)
    assert {json.dumps(line["best"]) for line in lines if "best" in line} == {json.dumps(best) for best in BEST}
    assert any(line.get("seats") for line in lines)
    seated = {kind for hall in workload.catalogue.halls.values() for kind in hall.seats}
    kinds = [line.get("ticketType") or line["ticketTypeId"] for line in lines]
    assert set(kinds) > seated
    plans = {json.dumps(operation.body) for operation in workload.operations if operation.name == "plan"}
    assert plans
    assert plans <= plans_of(workload)
    commands = [json.loads(operation.value or "{}") for operation in workload.operations if operation.name == "command"]
    assert {bool(command.get("seats")) for command in commands if command["kind"] == "cancel"} == {True, False}
    assert any(command["kind"] == "exchange" for command in commands)
    assert any(show.hall and show.is_online for show in workload.catalogue.shows)


def plans_of(workload: Workload) -> set[str]:
    return {json.dumps(plan) for hall in workload.catalogue.halls.values() for plan in hall.plans}


def test_every_plan_can_be_put_and_takes_seats_away_or_changes_them() -> None:
    workload = Workload(5, 60, 4)
    show = next(show for show in workload.catalogue.shows if show.hall)
    assert show.hall
    halls = [hall_of(sections_of(NewSeating.model_validate(plan))) for plan in show.hall.plans]
    for hall in halls:
        check_hall(hall, {UUID(kind) for kind in show.quantities})
    assert sum(section.seats for section in halls[0]) == sum(map(len, show.hall.seats.values()))
    assert len({msgspec.json.encode(hall) for hall in halls}) == len(halls)
