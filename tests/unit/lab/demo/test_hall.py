"""The hall of ``make demo HALL=1``: what is asked for, how it is drawn, and what the checker sees."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from api.organizing.seating_generator import generated
from api.schemas.seating import SeatingGenerator
from lab.demo.hall_drawing import Party, drawing
from lab.demo.hall_plan import HallRow, HallSection, plan_body, read_plan, ticket_types
from lab.demo.hall_sale import HallSale, SeatRequest, requests_of, second_try
from lab.demo.hall_verdict import HallVerdict, equal_in_both, nothing_withheld, seat_everybody
from tables.messages.outcomes import Outcome, OutcomeKind, OutcomeLine
from tables.messages.reasons import Reason

EVENT, TYPE = UUID(int=1), UUID(int=2)
ROW = HallRow("A", (("S-A-1", "S-A-2"), ("S-A-3", "S-A-4", "S-A-5")))
SMALL = [HallSection("S", TYPE, (ROW,))]


def hall(rows: int) -> list[HallSection]:
    types = {UUID(int=number): (name, seats) for number, (name, seats, _) in enumerate(ticket_types(rows))}
    return read_plan(generated(SeatingGenerator.model_validate(plan_body(types))))


def request(number: int, *seats: str, quantity: int = 0, got: tuple[str, ...] = ()) -> SeatRequest:
    count = quantity or len(seats)
    return SeatRequest(UUID(int=number), "key", TYPE, count, by_kafka=False, times=1, seats=seats, got=got)


def decided(asked: SeatRequest, *seats: str) -> Outcome:
    kind = OutcomeKind.CONFIRMED if seats else OutcomeKind.REJECTED
    lines = (OutcomeLine(TYPE, "S", len(seats), Decimal(10), seats=seats),) if seats else ()
    reason, at = None if seats else Reason.SEAT_TAKEN, datetime(2030, 1, 1, tzinfo=UTC)
    return Outcome(kind=kind, event=EVENT, offset=1, at=at, purchase=asked.purchase, lines=lines, reason=reason)


def judged(*sales: tuple[SeatRequest, tuple[str, ...]]) -> HallVerdict:
    """The verdict on requests with the seats that each of them got."""
    sale = HallSale(EVENT, "Night", {TYPE: ("S", 5)}, [asked for asked, _ in sales], SMALL)
    verdict = HallVerdict(decisions={asked.purchase: decided(asked, *seats) for asked, seats in sales})
    seat_everybody(sale, verdict)
    nothing_withheld(sale, verdict)
    return verdict


@pytest.mark.parametrize("rows", [4, 7, 40])
def test_a_hall_has_fifty_seats_a_row_in_three_blocks_and_fits_80_columns(rows: int) -> None:
    sections = hall(rows)
    assert sum(len(section.rows) for section in sections) == rows
    assert {tuple(map(len, row.blocks)) for section in sections for row in section.rows} == {(13, 24, 13)}
    assert max(map(len, drawing(sections, {}).plain.splitlines())) <= 80


def test_half_of_a_crowd_wants_seats_beside_each_other_by_name_and_a_seed_makes_it_again() -> None:
    buyers, sections = [UUID(int=number) for number in range(300)], hall(8)
    crowd = requests_of(buyers, sections, 3)
    assert crowd == requests_of(buyers, sections, 3) != requests_of(buyers, sections, 4)
    assert Counter(bool(asked.seats) for asked in crowd) == {True: 150, False: 150}
    blocks = {section.ticket_type: [",".join(block) for block in section.blocks] for section in sections}
    for asked in crowd:
        assert len(asked.seats) in {0, asked.quantity}
        assert any(f"{','.join(asked.seats)}," in f"{block}," for block in blocks[asked.ticket_type])


def test_who_loses_a_seat_takes_what_is_offered_beside_those_that_were_free() -> None:
    lost = {"figures": {"seats": ["S-A-2"], "nearest": ["S-A-4"]}}
    again = second_try(request(1, "S-A-1", "S-A-2"), lost)
    assert again is not None
    assert (again.seats, again.is_second_try) == (("S-A-1", "S-A-4"), True)
    assert again.purchase != request(1, "S-A-1", "S-A-2").purchase


@pytest.mark.parametrize("answer", [{}, {"figures": None}, {"figures": {"seats": ["S-A-2"], "nearest": []}}])
def test_who_is_offered_nothing_does_not_ask_again(answer: dict[str, Any]) -> None:
    assert second_try(request(1, "S-A-1", "S-A-2"), answer) is None


def test_who_sits_where_is_drawn_with_another_case_for_each_party() -> None:
    parties = {
        "S-A-1": Party(UUID(int=1), by_name=True),
        "S-A-2": Party(UUID(int=2), by_name=True),
        "S-A-4": Party(UUID(int=3), by_name=False),
        "S-A-5": Party(UUID(int=3), by_name=False),
    }
    drawn = drawing(SMALL, parties)
    assert "S: 4 of 5 seats sold\n  A Nn .BB\n" in drawn.plain
    assert {drawn.plain[span.start]: span.style for span in drawn.spans if span.end == span.start + 1}.keys() >= {
        "N",
        "n",
        "B",
        ".",
    }


def test_a_sale_without_damage_has_a_clean_verdict() -> None:
    by_name, best = request(1, "S-A-1", "S-A-2", got=("S-A-1", "S-A-2")), request(2, quantity=3)
    late = request(3, "S-A-2", "S-A-3")
    verdict = judged((by_name, ("S-A-1", "S-A-2")), (best, ("S-A-3", "S-A-4", "S-A-5")), (late, ()))
    equal_in_both(verdict, {by_name.purchase: frozenset(by_name.seats), best.purchase: frozenset(ROW.blocks[1])})
    assert verdict.broken == []
    assert {seat for seat, party in verdict.parties.items() if party.by_name} == {"S-A-1", "S-A-2"}


@pytest.mark.parametrize(
    ("sales", "broken"),
    [
        (lambda: [(request(1, "S-A-1"), ("S-A-1",)), (request(2, "S-A-1"), ("S-A-1",))], "S-A-1 was sold twice"),
        (lambda: [(request(1, "S-A-1"), ("S-A-2",))], "wanted S-A-1 and got S-A-2"),
        (lambda: [(request(1, quantity=2), ("S-A-1",))], "wanted the 2 best seats and got S-A-1"),
        (lambda: [(request(1, quantity=1), ("S-A-9",))], "wanted the 1 best seats and got S-A-9"),
        (lambda: [(request(1, "S-A-1", got=("S-A-2",)), ("S-A-1",))], "was told S-A-2, decided S-A-1"),
        (lambda: [(request(1, "S-A-1", "S-A-2"), ())], "was refused S-A-1, S-A-2, which are free"),
        (lambda: [(request(1, quantity=3), ())], "was refused the 3 best seats, which are free"),
    ],
    ids=["twice", "another seat", "too few", "not in the plan", "told another", "named and free", "best and free"],
)
def test_damage_is_seen(sales: Callable[[], list[tuple[SeatRequest, tuple[str, ...]]]], broken: str) -> None:
    [found] = judged(*sales()).broken
    assert broken in found


def test_the_best_that_no_block_has_together_are_refused_rightly() -> None:
    assert judged((request(1, quantity=4), ())).broken == []


def test_another_seat_in_postgresql_is_seen_and_one_too_many_and_one_too_few() -> None:
    asked = request(1, "S-A-1")
    for stored in ({asked.purchase: frozenset({"S-A-2"})}, {}, {asked.purchase: frozenset({"S-A-1", "S-A-2"})}):
        verdict = judged((asked, ("S-A-1",)))
        equal_in_both(verdict, stored)
        assert len(verdict.broken) == 1
