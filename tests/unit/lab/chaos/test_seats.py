"""The checker's map of a hall: it agrees with a sale that went well, and finds every damage to what is told."""

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID, uuid5

import msgspec
import pytest

from api.organizing.seating import hall_of as hall_for_ledger
from lab.chaos.checks.case import Case
from lab.chaos.checks.seats import check, counts
from lab.chaos.evidence import Evidence, Record
from lab.chaos.log_audit import LogAudit, Row
from lab.chaos.mutants import seats as mutants
from lab.chaos.workload.halls import A_ROWS, A_SEATS, B_ROWS, B_SEATS, WITHOUT_FRONT, Hall, hall_of
from tables.ledger.records import SECTION_MARK, decode_section
from tables.ledger.seat_views import section_view
from tables.messages.commands import (
    Buy,
    Cancel,
    Command,
    Confirm,
    DefineEvent,
    Exchange,
    Hold,
    TicketLine,
    encode_command,
)
from tables.messages.outcomes import Outcome, encode_outcome
from tables.messages.sections import BestAvailable, DefineSection
from tables.seating.plan import pieces_of
from tests.unit.lab.chaos.story import BEGAN, note, operation
from tests.unit.tables.ledger_driver import (
    ADA,
    BOB,
    BOX,
    EVENT,
    FLOOR,
    NOW,
    STAND,
    LedgerDriver,
    definition,
    ticket_type,
)

Json = dict[str, Any]

HALL: Hall = hall_of([str(FLOOR), str(STAND), str(BOX)])
FULL, FRONTLESS = HALL.plans[0], HALL.plans[WITHOUT_FRONT]
BOUGHT, BEST, LOST = uuid5(ADA, "a"), uuid5(BOB, "b"), uuid5(BOB, "c")
REQUEST = uuid5(BOUGHT, "exchange x")
ONE, OTHER, INSTEAD = "A-1-1", "A-1-2", "A-4-7"


def pieces(number: int, plan: Json) -> Iterable[DefineSection]:
    """A plan as the API gives it to the ledger."""
    return pieces_of(EVENT, number, hall_for_ledger(plan["sections"]))


def event(number: int) -> DefineEvent:
    types = [ticket_type(key, 100) for key in (FLOOR, STAND, BOX)]
    return DefineEvent(EVENT, number, definition(*types, plan=number))


def buy(purchase: UUID, account: UUID, *names: str) -> Buy:
    return Buy(EVENT, purchase, account, [TicketLine(FLOOR, len(names), names)])


def best(purchase: UUID, quantity: int) -> Hold:
    return Hold(EVENT, purchase, BOB, [TicketLine(FLOOR, quantity, best=BestAvailable())])


LOG: list[Command] = [
    *pieces(1, FULL),
    event(1),
    buy(BOUGHT, ADA, ONE, OTHER),
    best(BEST, 3),
    Exchange(EVENT, BOUGHT, ADA, REQUEST, (ONE,), (INSTEAD,)),
    buy(LOST, BOB, OTHER),
    Confirm(EVENT, BEST, BOB),
    Cancel(EVENT, BEST, BOB, uuid5(BEST, "cancel c"), seats=("A-1-3",)),
]


def sold(log: Iterable[Command]) -> tuple[LedgerDriver, list[Outcome]]:
    driver = LedgerDriver(batch=1)
    return driver, [outcome for command in log for outcome in driver.send_all(command)]


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


# The evidence of a run


def answer(purchase: UUID, status: str, *names: str) -> Json:
    return {"id": f"{EVENT}.{purchase}", "status": status, "lines": [{"quantity": len(names), "seats": list(names)}]}


KEPT = (OTHER, INSTEAD)
TAKEN = {"type": "/problems/seat-taken"}


def bitmap(*names: str) -> str:
    """The seats of the hall's first section, in its order."""
    section = FULL["sections"][0]
    seats = [f"A-{row['label']}-{seat['label']}" for row in section["rows"] for seat in row["seats"]]
    return base64.b64encode(sum(1 << seats.index(name) for name in names).to_bytes(15, "little")).decode()


def asked(number: int, name: str, path: str, **more: Any) -> Json:
    return operation(number, name, path=path, **more)


def row(purchase: UUID, status: str, *names: str) -> Json:
    return {"event_id": str(EVENT), "id": str(purchase), "status": status, "lines": [{"seats": list(names)}]}


def run() -> Evidence:
    """A run in which the log was as it should be."""
    driver, outcomes = sold(LOG)
    key = str(EVENT).encode()
    commands = [Record(0, n, 1000 * (BEGAN + n), key, encode_command(each)) for n, each in enumerate(LOG)]
    told = [Record(0, n, 1000 * BEGAN, key, encode_outcome(each)) for n, each in enumerate(outcomes)]
    place = f"/purchases/{EVENT}.{BOUGHT}/exchange"
    plan = f"/events/{EVENT}/seating"
    refused = {"type": "/problems/seats-taken", "seats": [ONE, OTHER]}
    best_of = next(outcome for outcome in outcomes if outcome.purchase == BEST)
    names = [seat for line in best_of.lines for seat in line.seats]
    left = [name for name in names if name != "A-1-3"]
    [section] = [value for stored, value in driver.table.items() if stored[16:17] == SECTION_MARK]
    shown = {"name": "A", "seats": A_ROWS * A_SEATS, "free": 0, "taken": bitmap(*KEPT, *left)}
    stands = {"name": "B", "seats": B_ROWS * B_SEATS, "free": 0, "taken": ""}
    items = {str(ADA): answer(BOUGHT, "confirmed", *KEPT), str(BOB): answer(BEST, "confirmed", *left)}
    view = msgspec.to_builtins(section_view(EVENT, "A", decode_section(section)))
    return Evidence(
        run={"partitions": 1},
        workload=[
            operation(0, "buy"),
            operation(1, "hold"),
            asked(2, "exchange", place, key="x", body={"give": [ONE], "take": [INSTEAD]}),
            asked(3, "exchange", place, key="y", body={"give": ["A-6-1"], "take": [INSTEAD]}),
            asked(4, "plan", plan, body=FRONTLESS),
        ],
        history=[
            note(0, "buy", 1, 201, answer(BOUGHT, "confirmed", ONE, OTHER)),
            note(1, "hold", 2, 201, answer(BEST, "held", *names)),
            note(2, "exchange", 3, 200, answer(BOUGHT, "confirmed", *KEPT), path=place),
            note(4, "plan", 4, 409, refused, path=plan),
            *(note(9, "closing", 9, 200, {"items": [item]}, who=who) for who, item in items.items()),
            note(9, "closing-seats", 9, 200, {"plan": 1, "sections": [shown, stands]}, path=f"/events/{EVENT}/seats"),
            note(3, "exchange", 9, 503, TAKEN, path=place),
        ],
        shows=[{"id": str(EVENT), "hidden": False, "hall": {"plans": HALL.plans, "seats": HALL.seats}}],
        topics={
            "ticket-commands": commands,
            "ticket-purchase": told,
            "turnstile-ledger-changelog": [Record(0, n, 0, *item) for n, item in enumerate(driver.table.items())],
        },
        tables={
            "purchase": [
                row(BOUGHT, "confirmed", *KEPT),
                row(BEST, "confirmed", *left),
                row(LOST, "rejected"),
            ]
        },
        sections={str(EVENT): [view]},
    )


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
