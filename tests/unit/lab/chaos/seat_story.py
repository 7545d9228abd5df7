"""A small sale of a hall in which everything went well, as commands and as evidence."""

import base64
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID, uuid5

import msgspec

from api.organizing.seating import hall_of as hall_for_ledger
from lab.chaos.evidence import Evidence, Record
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


EXCHANGE = Exchange(EVENT, BOUGHT, ADA, REQUEST, (ONE,), (INSTEAD,))
LOG: list[Command] = [
    *pieces(1, FULL),
    event(1),
    buy(BOUGHT, ADA, ONE, OTHER),
    best(BEST, 3),
    EXCHANGE,
    buy(LOST, BOB, OTHER),
    Confirm(EVENT, BEST, BOB),
    Cancel(EVENT, BEST, BOB, uuid5(BEST, "cancel c"), seats=("A-1-3",)),
]


def sold(log: Iterable[Command]) -> tuple[LedgerDriver, list[Outcome]]:
    driver = LedgerDriver(batch=1)
    return driver, [outcome for command in log for outcome in driver.send_all(command)]


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


def run(log: Sequence[Command] = LOG) -> Evidence:
    """A run in which the log was as it should be: a command is appended each second."""
    driver, outcomes = sold(log)
    key = str(EVENT).encode()
    commands = [Record(0, n, 1000 * (BEGAN + n), key, encode_command(each)) for n, each in enumerate(log)]
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
