"""The checker's map of a hall: it agrees with a sale that went well, and finds every damage to what is told."""

import json
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid5

import msgspec
import pytest

from lab.chaos.checks.case import Case
from lab.chaos.checks.seats import check, counts
from lab.chaos.evidence import Evidence, Record
from lab.chaos.log_audit import LogAudit, Row
from lab.chaos.mutants import seats as mutants
from tables.ledger.records import SECTION_MARK, decode_section
from tables.messages.commands import (
    Command,
    encode_command,
)
from tables.messages.outcomes import Outcome, encode_outcome
from tests.unit.lab.chaos.seat_story import (
    EXCHANGE,
    FRONTLESS,
    FULL,
    HALL,
    LOG,
    ONE,
    OTHER,
    TAKEN,
    best,
    bitmap,
    buy,
    pieces,
    run,
    sold,
)
from tests.unit.lab.chaos.story import note
from tests.unit.tables.ledger_driver import (
    ADA,
    BOB,
    EVENT,
    NOW,
)

Json = dict[str, Any]


def audit(log: Iterable[Command], table: dict[bytes, bytes], outcomes: Iterable[Outcome]) -> LogAudit:
    key = str(EVENT).encode()
    commands = [Row(0, place, NOW, key, encode_command(each)) for place, each in enumerate(log)]
    told = [Row(0, place, NOW, key, encode_outcome(each)) for place, each in enumerate(outcomes)]
    return LogAudit(1, [], commands, told, [Row(0, place, NOW, *row) for place, row in enumerate(table.items())])


def violations(log: list[Command]) -> list[str]:
    driver, outcomes = sold(log)
    return audit(log, driver.table, outcomes).violations()


RACE: list[Command] = [*LOG, buy(uuid5(ADA, "d"), ADA, "A-3-1"), *(best(uuid5(BOB, f"{n}"), 2) for n in range(12))]


def test_seats_are_right_as_the_ledger_sells_them() -> None:
    assert violations(RACE) == []


@pytest.mark.parametrize(
    ("mutant", "words"), [(mutants.occupancy_check, "has two holders"), (mutants.orphan_rule, "seats=('")]
)
def test_the_audit_misses_a_rule_of_seats_that_is_off(
    monkeypatch: pytest.MonkeyPatch, mutant: Callable[[], None], words: str
) -> None:
    monkeypatch.setattr(mutants, "patch", monkeypatch.setattr)
    mutant()
    assert any(words in found for found in violations(RACE))


def other_section(table: dict[bytes, bytes], **changes: Any) -> None:
    """Change the record of a section."""
    [key] = [key for key in table if key[16:17] == SECTION_MARK]
    record = msgspec.structs.replace(decode_section(table[key]), **changes)
    table[key] = msgspec.msgpack.encode(record)


@pytest.mark.parametrize(
    "changes",
    [{"sold": b""}, {"held": b"\x01"}, {"removed": [("A-9-9", True)]}, {"sold": b"\xff\xff\xff"}],
    ids=["lost", "held by nobody", "removed, but never there", "sold to nobody"],
)
def test_a_section_with_other_seats_than_were_told_is_found(changes: Json) -> None:
    driver, outcomes = sold(LOG)
    other_section(driver.table, **changes)
    assert {each.partition(":")[0] for each in audit(LOG, driver.table, outcomes).violations()} == {"seats"}


def found(evidence: Evidence) -> set[int]:
    return {finding.promise for finding in check(Case(evidence))}


def test_nothing_is_found_in_a_run_whose_seats_are_right() -> None:
    evidence = run()
    assert list(check(Case(evidence))) == []
    told = counts(Case(evidence))
    assert (told["seats held or sold in the end"], told["purchases of seats"]) == (4, 2)
    assert told["plans refused, since they would take sold seats away"] == 1


def seats_of(evidence: Evidence, place: int) -> list[str]:
    """The seats of an answer."""
    listed: list[str] = evidence.history[place]["answer"]["lines"][0]["seats"]
    return listed


def put(evidence: Evidence, plan: Json, status: int = 409) -> None:
    """Another plan was put, with another answer."""
    evidence.workload[4]["body"] = plan
    evidence.history[3]["status"] = status


def put_as_it_was(evidence: Evidence) -> None:
    """A plan is refused that is the only one that the hall ever had."""
    put(evidence, FULL)
    evidence.shows[0]["hall"] = {"plans": [FULL], "seats": HALL.seats}


def told_again(evidence: Evidence) -> None:
    """Bob's list has a seat of Ada's."""
    evidence.history[5]["answer"]["items"][0]["lines"][0]["seats"].append(OTHER)


def plan_of_its_own(evidence: Evidence) -> None:
    """A plan that was refused is in the log, in part."""
    for piece in list(pieces(2, FRONTLESS))[:1]:
        record = Record(0, 99, 0, str(EVENT).encode(), encode_command(piece))
        evidence.topics["ticket-commands"].append(record)


DAMAGES: list[tuple[str, int, Callable[[Evidence], object]]] = [
    ("an answer names another seat", 3, lambda it: seats_of(it, 0).append("A-5-5")),
    ("an answer lacks a seat", 3, lambda it: seats_of(it, 1).pop()),
    ("an exchange got another seat", 3, lambda it: seats_of(it, 2).__setitem__(1, ONE)),
    ("an exchange was refused that was decided", 3, lambda it: it.history[2].update(status=409)),
    ("an exchange was refused for something else", 3, lambda it: it.history[2].update(status=409, answer=TAKEN)),
    ("an exchange was refused that never was", 3, lambda it: it.history[-1].update(status=409)),
    ("a list has a seat twice", 1, told_again),
    ("a list lacks a seat", 4, lambda it: it.history[4]["answer"]["items"][0]["lines"][0]["seats"].pop()),
    ("the table lacks a seat", 4, lambda it: it.tables["purchase"][1]["lines"][0]["seats"].pop()),
    (
        "the table has a seat that was given back",
        4,
        lambda it: it.tables["purchase"][0]["lines"][0].update(seats=[ONE]),
    ),
    ("a free seat is shown as taken", 4, lambda it: it.history[6]["answer"]["sections"][0].update(taken=bitmap(ONE))),
    ("a section has another size", 4, lambda it: it.history[6]["answer"]["sections"][1].update(seats=31)),
    ("the view lacks the sold seats", 4, lambda it: it.sections[str(EVENT)][0].update(soldSeats="")),
    ("the view has a seat as held", 4, lambda it: it.sections[str(EVENT)][0].update(heldSeats="AQ==")),
    ("the view lacks the section", 4, lambda it: it.sections[str(EVENT)].clear()),
    ("a plan was refused for a free seat", 4, lambda it: it.history[3]["answer"].update(seats=["A-1-9"])),
    ("a plan was refused for what it keeps", 4, put_as_it_was),
    ("a plan was refused by no name", 4, lambda it: it.history[3]["answer"].update(seats=[])),
    ("a refused plan is in the log", 4, plan_of_its_own),
]


@pytest.mark.parametrize(("promise", "damage"), [pytest.param(*each[1:], id=each[0]) for each in DAMAGES])
def test_every_damage_to_seats_is_found(promise: int, damage: Callable[[Evidence], object]) -> None:
    evidence = run()
    damage(evidence)
    assert promise in found(evidence)


def test_a_plan_whose_answer_never_came_may_be_in_force() -> None:
    evidence = run()
    evidence.topics["ticket-commands"] += [
        Record(0, 90 + n, 0, str(EVENT).encode(), encode_command(piece)) for n, piece in enumerate(pieces(2, FRONTLESS))
    ]
    put(evidence, FRONTLESS, status=0)
    assert list(check(Case(evidence))) == []


def test_the_map_reads_outcomes_as_they_are_on_the_topic() -> None:
    """A repeated outcome changes nothing, however late it comes."""
    evidence = run()
    again = next(record for record in evidence.topics["ticket-purchase"] if b'"confirmed"' in (record.value or b""))
    evidence.topics["ticket-purchase"].append(again._replace(offset=99))
    assert json.loads(again.value or b"")["lines"][0]["seats"] == [ONE, OTHER]
    assert list(check(Case(evidence))) == []


def test_an_exchange_that_was_still_running_when_it_was_asked_for_again_is_right() -> None:
    evidence = run()
    running = {"type": "/problems/still-running"}
    evidence.history.append(note(2, "exchange", 3, 409, running, path=evidence.history[2]["path"]))
    assert list(check(Case(evidence))) == []


@pytest.mark.parametrize(("answered_at", "is_right"), [(2, True), (len(LOG), False)])
def test_an_exchange_before_its_purchase_may_be_unknown_until_it_is_sent_again(
    answered_at: int, is_right: bool
) -> None:
    evidence = run([LOG[0], EXCHANGE, *LOG[1:]])
    unknown = {"type": "/problems/not-found"}
    evidence.history.append(note(2, "exchange", answered_at, 404, unknown, path=evidence.history[2]["path"]))
    assert (list(check(Case(evidence))) == []) is is_right
