"""Seats are sold once, by name or the best available, and come back by name, whatever becomes of the plan."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

import tables.ledger.seat_changes
import tables.ledger.seat_records
from tables.errors import InvariantBroken
from tables.ledger.purchase_records import SeatedPurchase
from tables.ledger.records import SECTION_MARK, SectionRecord, decode_purchase, decode_section, purchase_key
from tables.ledger.seat_orders import REMOVED_MAX_SEATS
from tables.messages.commands import (
    Buy,
    Cancel,
    Command,
    EndPurchases,
    Exchange,
    Hold,
    TicketLine,
)
from tables.messages.outcomes import Outcome, OutcomeKind, encode_outcome
from tables.messages.payment_modes import PaymentMode
from tables.messages.reasons import Reason
from tables.messages.sections import BestAvailable, DefineSection, PlanRow, PlanSeat
from tables.messages.statuses import EventStatus
from tables.seating.layout import SectionLayout
from tables.seating.plan import HallSection, pieces_of
from tables.seating.section_state import SectionState
from tests.unit.tables.halls import hall_pieces, hall_section
from tests.unit.tables.ledger_driver import (
    ADA,
    BOB,
    BOX,
    EVENT,
    FLOOR,
    NOW,
    STAND,
    LedgerDriver,
    codes,
    purchase_id,
    refusal_of,
    refused,
    rejected,
    ticket_type,
)

HALL = {"A": ["fff|ff", "ffff"], "B": ["sss"]}
TYPES = [ticket_type(FLOOR, 100), ticket_type(STAND, 100), ticket_type(BOX, 100)]
RECORD_MAX_BYTES = 650 * 1024


class SeatDriver(LedgerDriver):
    """Sells the hall."""

    def __init__(self, sections: dict[str, list[str]], batch: int = 1, **changes: Any) -> None:
        super().__init__(batch)
        self.plan(1, sections, **changes)

    def plan(self, plan: int, sections: dict[str, list[str]], **changes: Any) -> None:
        """Put a plan into force."""
        for piece in hall_pieces(plan, sections, EVENT):
            self.send(piece)
        self.define(*TYPES, version=plan, plan=plan, **changes)

    def named(self, number: int, *seats: str, key: UUID = FLOOR, account: UUID = ADA) -> Outcome:
        """Buy seats by name."""
        return self.told(Buy(EVENT, purchase_id(number), account, [TicketLine(key, len(seats), seats)]))

    def best(self, number: int, count: int, key: UUID = FLOOR, **best: Any) -> Outcome:
        """Buy the best seats."""
        return self.told(Buy(EVENT, purchase_id(number), ADA, [TicketLine(key, count, best=BestAvailable(**best))]))

    def give(self, number: int, request: int, *seats: str, lines: tuple[TicketLine, ...] = ()) -> Outcome:
        """Give seats back."""
        return self.told(Cancel(EVENT, purchase_id(number), ADA, UUID(int=request), list(lines), seats))

    def exchange(self, number: int, request: int, give: tuple[str, ...], take: tuple[str, ...]) -> Outcome:
        """Exchange seats."""
        return self.told(Exchange(EVENT, purchase_id(number), ADA, UUID(int=request), give, take))

    def told(self, command: Command) -> Outcome:
        outcome = self.send(command)
        assert outcome is not None
        return outcome

    def section(self, name: str = "A") -> SectionRecord:
        """A section's record."""
        return decode_section(self.table[EVENT.bytes + SECTION_MARK + name.encode()])

    def out(self, name: str = "A") -> tuple[int, int]:
        """How many seats of a section are held, and sold."""
        record = self.section(name)
        held, sold = (int.from_bytes(bits, "little").bit_count() for bits in (record.held, record.sold))
        removed = [sold for _, sold in record.removed]
        return held + removed.count(False), sold + removed.count(True)


@pytest.fixture
def driver() -> SeatDriver:
    """An empty hall."""
    return SeatDriver(HALL)


def seats_of(outcome: Outcome) -> tuple[str, ...]:
    """The seats of an outcome's lines."""
    return tuple(seat for line in outcome.lines for seat in line.seats)


def test_seats_by_name_are_sold_with_a_code_each(driver: SeatDriver) -> None:
    outcome = driver.named(1, "A-1-5", "A-1-4")
    [line] = outcome.lines
    assert (line.quantity, line.seats, line.codes) == (2, ("A-1-5", "A-1-4"), codes(1, 0, 1))
    assert driver.named(1, "A-1-4", "A-1-5").repeated
    assert driver.named(1, "A-1-4", "A-1-3").reason is Reason.ID_REUSED
    assert driver.out() == (0, 2)


def test_a_seat_that_is_out_is_refused_with_others_near_it(driver: SeatDriver) -> None:
    driver.named(1, "A-1-2")
    outcome = driver.named(2, "A-1-2", account=BOB)
    assert refusal_of(outcome) == rejected(Reason.SEAT_TAKEN, seats=["A-1-2"], nearest=["A-1-1"])
    # Versions without seats read it as sold out.
    record = decode_purchase(driver.table[purchase_key(EVENT, purchase_id(2))])
    assert isinstance(record, SeatedPurchase)
    assert (record.history[0].reason, record.moves[0].word) == (Reason.SOLD_OUT, "seat-taken")
    assert driver.told(driver_command(2, "A-1-2")).reason is Reason.ID_REUSED
    assert driver.out() == (0, 1)


def test_lost_seats_of_several_sections_are_refused_with_others_near_each() -> None:
    driver = SeatDriver({"A": ["fff"], "C": ["fff"]})
    driver.named(1, "A-1-2", "C-1-1")
    outcome = driver.named(2, "C-1-1", "A-1-2", "A-1-3")
    expected = rejected(Reason.SEAT_TAKEN, seats=["C-1-1", "A-1-2"], nearest=["C-1-2", "A-1-1"])
    assert refusal_of(outcome) == expected


def test_the_plan_of_a_section_is_read_when_an_order_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def layout(name: str, *rest: Any) -> SectionLayout:
        read.append(name)
        return SectionLayout(name, *rest)

    def read_by(outcome: Outcome) -> tuple[tuple[str, ...], list[str]]:
        names = list(read)
        read.clear()
        return seats_of(outcome), names

    monkeypatch.setattr(tables.ledger.seat_records, "SectionLayout", layout)
    driver = SeatDriver({"A": ["ff"], "B": ["ff"], "C": ["ff"]})
    assert read_by(driver.best(1, 2)) == (("A-1-1", "A-1-2"), ["A"])
    assert read_by(driver.best(2, 2)) == (("B-1-1", "B-1-2"), ["B"])
    assert read_by(driver.named(3, "C-1-2")) == (("C-1-2",), ["C"])
    assert read_by(driver.best(4, 1)) == (("C-1-1",), ["C"])
    assert read_by(driver.give(1, 1, "A-1-2")) == (("A-1-2",), ["A"])
    assert read_by(driver.best(5, 1)) == (("A-1-2",), ["A"])
    assert read_by(driver.best(6, 1)) == ((), ["A", "B", "C"])


def driver_command(number: int, *seats: str) -> Command:
    return Buy(EVENT, purchase_id(number), ADA, [TicketLine(FLOOR, len(seats), seats)])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([TicketLine(FLOOR, 1)], rejected(Reason.SEATS_REQUIRED, ticketType=str(FLOOR))),
        ([TicketLine(BOX, 1, ("A-1-1",))], rejected(Reason.NOT_SEATED, ticketType=str(BOX))),
        ([TicketLine(FLOOR, 2, ("A-1-1",))], rejected(Reason.INVALID_SEATS, ticketType=str(FLOOR))),
        ([TicketLine(FLOOR, 2, ("A-1-1", "A-1-1"))], rejected(Reason.INVALID_SEATS, ticketType=str(FLOOR))),
        (
            [TicketLine(FLOOR, 1, ("A-1-1",), BestAvailable())],
            rejected(Reason.INVALID_SEATS, ticketType=str(FLOOR)),
        ),
        (
            [TicketLine(FLOOR, 1, ("A-1-1",)), TicketLine(FLOOR, 1, ("A-1-2",))],
            rejected(Reason.INVALID_SEATS, ticketType=str(FLOOR)),
        ),
        ([TicketLine(FLOOR, 2, ("A-1-9", "A-1-1"))], rejected(Reason.UNKNOWN_SEAT, seats=["A-1-9"])),
        ([TicketLine(FLOOR, 1, ("B-1-1",))], rejected(Reason.UNKNOWN_SEAT, seats=["B-1-1"])),
        ([TicketLine(STAND, 1, ("A-1-1",))], rejected(Reason.UNKNOWN_SEAT, seats=["A-1-1"])),
        ([TicketLine(FLOOR, 1, ("Z-1-1",))], rejected(Reason.UNKNOWN_SEAT, seats=["Z-1-1"])),
        (
            [TicketLine(FLOOR, 5, best=BestAvailable())],
            rejected(Reason.NO_ADJACENT_SEATS, ticketType=str(FLOOR), requested=5, longest=4),
        ),
        (
            [TicketLine(STAND, 4, best=BestAvailable(together=False))],
            rejected(Reason.SOLD_OUT, ticketType=str(STAND), requested=4, available=3, limit=3, held=0),
        ),
        ([TicketLine(FLOOR, 1, best=BestAvailable(section="Z"))], rejected(Reason.UNKNOWN_SEAT, section="Z")),
    ],
)
def test_orders_that_cannot_be_had_are_refused_and_take_nothing(
    driver: SeatDriver, lines: list[TicketLine], expected: object
) -> None:
    outcome = driver.told(Buy(EVENT, purchase_id(1), ADA, lines))
    assert refusal_of(outcome) == expected
    assert driver.told(Buy(EVENT, purchase_id(1), ADA, lines)).repeated
    assert not [key for key in driver.table if key[16:17] == SECTION_MARK]


def test_an_order_of_501_seats_is_refused() -> None:
    driver = SeatDriver({"A": ["f" * 500, "f"]})
    driver.define(ticket_type(FLOOR, 1_000), version=2, plan=1)
    outcome = driver.best(1, 501)
    assert refusal_of(outcome) == rejected(Reason.ORDER_LIMIT_EXCEEDED, limit=500, requested=501)
    assert driver.best(2, 500).kind is OutcomeKind.CONFIRMED


def test_all_lines_of_an_order_or_none_take_seats(driver: SeatDriver) -> None:
    mixed = [
        TicketLine(STAND, 2, best=BestAvailable()),
        TicketLine(FLOOR, 2, ("A-2-1", "A-2-2")),
        TicketLine(BOX, 3),
    ]
    outcome = driver.told(Hold(EVENT, purchase_id(1), ADA, mixed, 600))
    assert [(line.quantity, line.seats) for line in outcome.lines] == [
        (2, ("B-1-2", "B-1-3")),
        (2, ("A-2-1", "A-2-2")),
        (3, ()),
    ]
    assert (driver.out(), driver.out("B")) == ((2, 0), (2, 0))
    more = [TicketLine(FLOOR, 1, ("A-2-3",)), TicketLine(STAND, 2, best=BestAvailable())]
    assert driver.told(Buy(EVENT, purchase_id(2), ADA, more)).reason is Reason.SOLD_OUT
    assert driver.out() == (2, 0)
    driver.confirm(1)
    assert (driver.out(), driver.out("B"), driver.stock(BOX)) == ((0, 2), (0, 2), (0, 3))


def test_a_hold_that_expires_gives_its_seats_to_others(driver: SeatDriver) -> None:
    driver.told(Hold(EVENT, purchase_id(1), ADA, [TicketLine(FLOOR, 1, ("A-1-1",))], 1))
    driver.at = NOW + 5_000
    assert seats_of(driver.expire(1)) == ("A-1-1",)
    assert driver.out() == (0, 0)
    assert driver.named(2, "A-1-1").kind is OutcomeKind.CONFIRMED


def test_a_section_that_was_full_sells_the_seats_that_come_back() -> None:
    hall = SeatDriver({"A": ["f", "f"], "B": ["ff"]}, batch=100)
    assert [seats_of(hall.best(number, 1)) for number in (1, 2, 3)] == [("A-1-1",), ("A-2-1",), ("B-1-2",)]
    hall.give(1, 1, "A-1-1")
    assert [seats_of(hall.best(number, 1)) for number in (4, 5)] == [("A-1-1",), ("B-1-1",)]
    assert hall.best(5, 1, section="B").reason is Reason.ID_REUSED


def test_a_cancel_by_seat_gives_back_that_seat_and_tells_which_are_left(driver: SeatDriver) -> None:
    driver.named(1, "A-1-1", "A-1-2", "A-1-3")
    outcome = driver.give(1, 1, "A-1-1")
    assert [(line.seats, line.codes) for line in outcome.lines] == [(("A-1-1",), codes(1, 0))]
    assert [(line.seats, line.codes) for line in outcome.left] == [(("A-1-2", "A-1-3"), codes(1, 1, 2))]
    assert driver.out() == (0, 2)
    again = driver.give(1, 1, "A-1-1")
    assert (again.lines, again.left, again.repeated) == (outcome.lines, outcome.left, True)
    assert seats_of(driver.cancel(1)) == ("A-1-2", "A-1-3")
    assert driver.out() == (0, 0)


def test_a_partial_cancel_of_seats_that_names_none_or_others_is_refused(driver: SeatDriver) -> None:
    driver.told(Buy(EVENT, purchase_id(1), ADA, [TicketLine(FLOOR, 2, ("A-1-1", "A-1-2")), TicketLine(BOX, 2)]))
    by_count = driver.cancel(1, [(FLOOR, 1)], request=UUID(int=1))
    assert refusal_of(by_count) == refused(Reason.SEATS_REQUIRED, ticketType=str(FLOOR))
    for wrong in (("A-1-3",), ("A-1-1", "A-1-1")):
        assert driver.give(1, 2, *wrong).reason is Reason.NOTHING_TO_CANCEL
    both = driver.give(1, 3, "A-1-2", lines=(TicketLine(BOX, 1),))
    assert [(line.quantity, line.seats) for line in both.left] == [(1, ("A-1-1",)), (1, ())]


def test_an_exchange_gives_other_seats_with_new_codes_in_one_decision(driver: SeatDriver) -> None:
    driver.named(1, "A-1-1", "A-1-2", "A-1-3")
    driver.give(1, 6, "A-1-3")
    outcome = driver.exchange(1, 7, ("A-1-1",), ("A-2-1",))
    assert (outcome.kind, outcome.request, outcome.returned) == (OutcomeKind.CONFIRMED, UUID(int=7), 1)
    assert [(line.quantity, line.seats, line.codes) for line in outcome.lines] == [
        (2, ("A-1-2", "A-2-1"), codes(1, 1, 3))
    ]
    assert driver.named(2, "A-1-1").kind is OutcomeKind.CONFIRMED
    assert driver.out() == (0, 3)
    again = driver.exchange(1, 7, ("A-1-1",), ("A-2-1",))
    assert (again.lines, again.repeated) == (outcome.lines, True)
    assert seats_of(driver.cancel(1)) == ("A-1-2", "A-2-1")


def test_an_exchange_of_a_hold_stays_a_hold_until_its_deadline(driver: SeatDriver) -> None:
    hold = driver.told(Hold(EVENT, purchase_id(1), ADA, [TicketLine(FLOOR, 1, ("A-1-1",))], 600))
    outcome = driver.exchange(1, 1, ("A-1-1",), ("A-1-2",))
    assert (outcome.kind, outcome.deadline) == (OutcomeKind.HELD, hold.deadline)
    assert driver.extend(1).deadline != hold.deadline
    assert seats_of(driver.confirm(1)) == ("A-1-2",)
    assert driver.out() == (0, 1)


@pytest.mark.parametrize(
    ("give", "take", "expected"),
    [
        (("A-1-1",), ("A-1-2",), refused(Reason.SEAT_TAKEN, seats=["A-1-2"], nearest=["A-1-3"])),
        (("A-1-1",), ("A-9-1",), refused(Reason.UNKNOWN_SEAT, seats=["A-9-1"])),
        (("A-1-1",), ("Z-1-1",), refused(Reason.UNKNOWN_SEAT, seats=["Z-1-1"])),
        (("A-1-1",), ("B-1-1",), refused(Reason.UNEQUAL_EXCHANGE, give=1, take=1)),
        (("A-1-1",), ("A-1-3", "A-1-3"), refused(Reason.INVALID_SEATS)),
        (("A-1-2",), ("A-1-3",), refused(Reason.NOTHING_TO_CANCEL, status="confirmed", seats=["A-1-2"])),
    ],
)
def test_an_exchange_that_cannot_be_had_changes_nothing_and_stays_refused(
    driver: SeatDriver, give: tuple[str, ...], take: tuple[str, ...], expected: object
) -> None:
    driver.named(1, "A-1-1")
    driver.named(2, "A-1-2")
    assert refusal_of(driver.exchange(1, 1, give, take)) == expected
    driver.cancel(2)
    assert refusal_of(driver.exchange(1, 1, give, take)) == expected
    assert driver.out() == (0, 1)


def test_an_exchange_takes_a_seat_that_only_the_plan_in_force_has(driver: SeatDriver) -> None:
    driver.named(1, "A-1-1")
    driver.plan(2, {"A": ["fff|ff", "ffff", "f"]})
    assert seats_of(driver.exchange(1, 1, ("A-1-1",), ("A-3-1",))) == ("A-3-1",)
    assert (driver.section().plan, driver.out()) == (2, (0, 1))


def test_an_exchange_gives_back_a_seat_of_a_section_that_the_plan_in_force_lacks(driver: SeatDriver) -> None:
    driver.named(1, "B-1-1", key=STAND)
    driver.plan(2, {"A": ["s"]})
    assert seats_of(driver.exchange(1, 1, ("B-1-1",), ("A-1-1",))) == ("A-1-1",)
    assert (driver.out("A"), driver.out("B")) == ((0, 1), (0, 0))


@pytest.mark.parametrize(("bound", "limit"), [("PURCHASE_MAX_CHANGES", 1), ("PURCHASE_MAX_SEATS", 2)])
def test_seats_are_exchanged_only_so_often(
    driver: SeatDriver, monkeypatch: pytest.MonkeyPatch, bound: str, limit: int
) -> None:
    driver.named(1, "A-1-1")
    with monkeypatch.context() as lower:
        lower.setattr(tables.ledger.seat_changes, bound, limit)
        assert driver.exchange(1, 1, ("A-1-1",), ("A-1-2",)).kind is OutcomeKind.CONFIRMED
        outcome = driver.exchange(1, 2, ("A-1-2",), ("A-1-3",))
        assert refusal_of(outcome) == refused(Reason.TOO_MANY_CHANGES, limit=limit)
    assert driver.exchange(1, 2, ("A-1-2",), ("A-1-3",)).kind is OutcomeKind.CONFIRMED


@pytest.mark.parametrize("batch", [1, 100])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_plan_that_is_not_complete_sells_nothing(batch: int, parts: int) -> None:
    driver = SeatDriver(HALL, batch)
    driver.named(1, "A-1-1")
    last, *pieces = hall_pieces(2, HALL, EVENT)
    if parts == 2:
        pieces.append(replace(last, parts=2, rows=last.rows[:1]))
        last = replace(last, part=1, parts=2, rows=last.rows[1:])
    for piece in pieces:
        driver.send(piece)
    driver.define(*TYPES, version=2, plan=2)
    assert refusal_of(driver.named(2, "A-1-2")) == rejected(Reason.EVENT_NOT_OPEN, plan=2)
    driver.send(last)
    assert driver.named(3, "A-1-2").kind is OutcomeKind.CONFIRMED


def test_a_plan_whose_pieces_disagree_sells_nothing(driver: SeatDriver) -> None:
    driver.named(1, "A-1-1")
    for part, categories in enumerate(([FLOOR], [FLOOR, STAND])):
        row = PlanRow(str(part), [PlanSeat("1", part, 0, 0)])
        piece = DefineSection(event=EVENT, plan=2, sections=1, number=0, section="A", categories=categories, rows=[row])
        driver.send(replace(piece, part=part, parts=2))
    driver.define(*TYPES, version=2, plan=2)
    assert refusal_of(driver.named(2, "A-0-1")) == rejected(Reason.EVENT_NOT_OPEN, plan=2)
    outcome = driver.exchange(1, 1, ("A-1-1",), ("A-1-1",))
    assert refusal_of(outcome) == refused(Reason.EVENT_NOT_OPEN, status="ACTIVE", plan=2)


def test_the_first_of_two_pieces_counts(driver: SeatDriver) -> None:
    driver.named(1, "A-1-1")
    for piece in hall_pieces(1, {"A": ["f"], "B": ["s"]}, EVENT):
        driver.send(piece)
    assert driver.named(2, "A-2-4").kind is OutcomeKind.CONFIRMED


def test_rows_and_seats_with_the_same_name_are_one() -> None:
    driver = LedgerDriver(batch=1)
    row = PlanRow("1", [PlanSeat(label, 0, 0, 0) for label in ("1", "2", "2")])
    for piece in pieces_of(EVENT, 1, [HallSection(name="A", categories=[FLOOR], rows=[row, row])]):
        driver.send(piece)
    driver.define(ticket_type(FLOOR, 9), plan=1)
    best = TicketLine(FLOOR, 1, best=BestAvailable())
    sold = [driver.send(Buy(EVENT, purchase_id(number), ADA, [best])) for number in range(3)]
    assert [outcome.kind for outcome in sold if outcome] == [OutcomeKind.CONFIRMED] * 2 + [OutcomeKind.REJECTED]


def test_a_seat_that_is_out_stays_out_through_plans_that_lack_it(driver: SeatDriver) -> None:
    driver.told(Hold(EVENT, purchase_id(1), ADA, [TicketLine(FLOOR, 2, ("A-2-1", "A-1-1"))], 600))
    driver.plan(2, {"A": ["fffff"]})
    assert driver.named(2, "A-1-1").reason is Reason.SEAT_TAKEN
    assert driver.named(3, "A-2-1").reason is Reason.UNKNOWN_SEAT
    driver.named(4, "A-1-2")
    assert driver.section().removed == [("A-2-1", False)]
    driver.confirm(1)
    assert driver.section().removed == [("A-2-1", True)]
    driver.plan(3, {"A": ["ff", "fff"]})
    assert driver.named(5, "A-2-1").reason is Reason.SEAT_TAKEN
    driver.give(1, 1, "A-2-1")
    assert driver.named(6, "A-2-1").kind is OutcomeKind.CONFIRMED
    assert driver.section().removed == []
    assert driver.out() == (0, 3)


def test_an_event_whose_plan_is_taken_away_sells_by_number_and_keeps_its_seats(driver: SeatDriver) -> None:
    driver.named(1, "A-1-1")
    driver.define(*TYPES, version=2)
    assert driver.named(2, "A-1-2").reason is Reason.NOT_SEATED
    assert driver.buy(3).kind is OutcomeKind.CONFIRMED
    assert seats_of(driver.cancel(1)) == ("A-1-1",)


def test_a_cancelled_event_gives_all_seats_back(driver: SeatDriver) -> None:
    driver.named(1, "A-1-1", "A-1-2")
    driver.told(Hold(EVENT, purchase_id(2), BOB, [TicketLine(FLOOR, 1, ("A-2-1",))], 600))
    driver.define(*TYPES, version=2, plan=1, status=EventStatus.CANCELED)
    ended = driver.send_all(EndPurchases(EVENT, 2))
    assert [(outcome.kind, seats_of(outcome)) for outcome in ended] == [
        (OutcomeKind.REFUNDED, ("A-1-1", "A-1-2")),
        (OutcomeKind.EXPIRED, ("A-2-1",)),
    ]
    assert driver.out() == (0, 0)


def test_what_must_be_paid_is_held_with_its_seats(driver: SeatDriver) -> None:
    driver.define(*TYPES, version=2, plan=1, payment=PaymentMode.ONLINE)
    held = driver.named(1, "A-1-1")
    assert (held.kind, held.payment is not None, driver.out()) == (OutcomeKind.HELD, True, (1, 0))
    exchanged = driver.exchange(1, 1, ("A-1-1",), ("A-1-3",))
    assert exchanged.payment == held.payment
    assert seats_of(driver.confirm(1, payment="pi_1")) == ("A-1-3",)


@pytest.mark.parametrize("batch", [1, 1_000])
def test_a_section_that_lost_too_many_sold_seats_sells_nothing(batch: int) -> None:
    driver = SeatDriver({"A": ["f" * 500] * 3}, batch)
    driver.define(ticket_type(FLOOR, 5_000), version=2, plan=1)
    for number in range(3):
        driver.best(number, 500)
    driver.plan(3, {"A": ["f", "f", "f", "ff"]})
    driver.define(ticket_type(FLOOR, 5_000), version=4, plan=3)
    for outcome in (driver.best(5, 2), driver.best(6, 1), driver.named(7, "A-4-2")):
        expected = rejected(Reason.EVENT_NOT_OPEN, removedSeats=1_497, limit=REMOVED_MAX_SEATS)
        assert refusal_of(outcome) == expected


@pytest.mark.parametrize("batch", [1, 1_000])
@pytest.mark.parametrize("before", [0, 1])
def test_a_section_that_lost_too_many_seats_to_a_plan_that_came_and_went_counts_for_all(
    batch: int, before: int
) -> None:
    driver = SeatDriver({"A": ["ff", "ff"], "B": ["f"]}, batch)
    assert seats_of(driver.best(1, 2)) == ("A-1-1", "A-1-2")
    if before:
        driver.named(2, "B-1-1")
    driver.plan(2, {"A": ["ff", "ff"], "B": ["f" * 500] * 3})
    driver.define(ticket_type(FLOOR, 5_000), version=3, plan=2)
    for number in range(3, 6):
        driver.best(number, 499)
    driver.define(ticket_type(FLOOR, 5_000), version=4, plan=1)
    outcome = driver.best(6, 2)
    assert outcome.reason is Reason.EVENT_NOT_OPEN
    assert outcome.figures["removedSeats"] > REMOVED_MAX_SEATS


def longest_names() -> Iterator[HallSection]:
    """Two sections of 500 seats with the longest names."""
    letter = "\N{TICKET}"
    for section in "AB":
        seats = [PlanSeat(f"{letter * 4}{number:03}", 0, number, 0) for number in range(500)]
        yield HallSection(name=letter * 15 + section, categories=[FLOOR], rows=[PlanRow(letter * 7, seats)])


def test_the_record_of_500_seats_exchanged_and_given_back_one_by_one_stays_small() -> None:
    driver = LedgerDriver(batch=1)
    sections = list(longest_names())
    for piece in pieces_of(EVENT, 1, sections):
        driver.send(piece)
    driver.define(ticket_type(FLOOR, 1_000, name="\N{TICKET}" * 500), plan=1)
    old, new = (
        [f"{section.name}-{section.rows[0].label}-{seat.label}" for seat in section.rows[0].seats]
        for section in sections
    )
    driver.send(Hold(EVENT, purchase_id(1), ADA, [TicketLine(FLOOR, 500, tuple(old))], 600))
    for number in range(30):
        give, take = (tuple(names[number * 10 : number * 10 + 10]) for names in (old, new))
        driver.send(Exchange(EVENT, purchase_id(1), ADA, UUID(int=number + 1), give, take))
    taken = tuple(new[:20])
    for number in range(20):
        driver.send(Exchange(EVENT, purchase_id(1), ADA, UUID(int=100 + number), tuple(old[300:320]), taken))
    driver.confirm(1)
    outcome = driver.cancel(1)
    assert len(encode_outcome(outcome)) < 256 * 1024
    record = driver.table[purchase_key(EVENT, purchase_id(1))]
    assert len(decode_purchase(record).history) == 53
    assert len(record) < RECORD_MAX_BYTES


def test_marking_a_seat_twice_is_a_broken_invariant() -> None:
    section = hall_section("A", ["ff"])
    state = SectionState(SectionLayout("A", 1, section.categories, section.focal, section.rows))
    state.change((), ("A-1-1",), sold=False)
    with pytest.raises(InvariantBroken, match="seats of section A can't be taken"):
        state.change((), ("A-1-1",), sold=True)
    with pytest.raises(InvariantBroken, match="seats A-1-2 can't be given back"):
        state.change(("A-1-2",), (), sold=False)
