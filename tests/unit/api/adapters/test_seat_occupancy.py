"""Which seats are taken, from what changed in the projection."""

from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep
from uuid import UUID

import pytest

from api.adapters.seat_occupancy import FRESH_S, Changes, PurchaseSeats, SeatOccupancy
from api.ports.seating import StoredPlan
from api.problems import Unavailable
from api.schemas.seating import Seats

EVENT, CATEGORY = UUID(int=1), str(UUID(int=2))


def section(name: str, seats: int) -> dict[str, object]:
    row = {"label": "1", "seats": [{"label": str(number), "x": 0, "y": 0} for number in range(seats)]}
    return {"name": name, "category": CATEGORY, "rows": [row]}


class World:
    """The projection of one event, and what was asked of it."""

    def __init__(self) -> None:
        self.plan: StoredPlan | None = StoredPlan(3, [section("A", 9), section("B", 2)])
        self.purchases: dict[UUID, PurchaseSeats] = {}
        self.asked: list[tuple[int, int]] = []
        self.now = 0.0
        self.occupancy = SeatOccupancy(self._ask, lambda: self.now)

    def _ask(self, event: UUID, plan: int, since: int) -> Changes:
        self.asked.append((plan, since))
        if self.plan is None:
            return Changes(None, None, ())
        is_new = self.plan.version != plan
        changed = [each for each in self.purchases.values() if is_new or each.offset >= since]
        return Changes(self.plan.version, self.plan if is_new else None, changed)

    def decide(self, purchase: int, offset: int, *seats: str) -> None:
        self.purchases[UUID(int=purchase)] = PurchaseSeats(UUID(int=purchase), offset, seats)
        self.now += FRESH_S

    def seats(self, since: int = -1) -> Seats:
        found = self.occupancy.seats(EVENT, since)
        assert found is not None
        return found

    def taken(self, since: int = -1) -> dict[str, int]:
        return {each.name: int.from_bytes(b64decode(each.taken), "little") for each in self.seats(since).sections}


def test_what_is_bought_is_taken_and_what_is_given_back_is_free() -> None:
    world = World()
    world.decide(1, 5, "A-1-0", "A-1-8")
    assert world.taken() == {"A": 0b100000001, "B": 0}
    world.decide(1, 6, "A-1-8")
    assert world.taken() == {"A": 0b100000000, "B": 0}
    world.decide(1, 7)
    assert (world.taken(), world.seats().offset) == ({"A": 0, "B": 0}, 7)


def test_a_seat_that_another_purchase_has_by_now_is_not_given_back_again() -> None:
    world = World()
    world.decide(1, 5, "A-1-0", "A-1-1")
    assert world.taken()["A"] == 0b11
    world.decide(2, 7, "A-1-0")
    world.decide(1, 9, "A-1-1")  # it gave the seat back at 6, and was changed again
    assert world.taken()["A"] == 0b11


def test_those_who_wait_for_a_question_that_fails_fail_with_it() -> None:
    """Each would wait for a server that hangs, one after the other, and keep its thread."""
    begun, ends, asked = Event(), Event(), []

    def hang(event: UUID, *_: object) -> Changes:
        asked.append(event)
        begun.set()
        assert ends.wait(5)
        raise Unavailable("postgres")

    occupancy = SeatOccupancy(hang)
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(occupancy.seats, EVENT, -1)
        assert begun.wait(5)
        others = [threads.submit(occupancy.seats, EVENT, -1) for _ in range(2)]
        sleep(0.05)
        ends.set()
        assert all(isinstance(each.exception(5), Unavailable) for each in (first, *others))
    assert asked == [EVENT]
    with pytest.raises(Unavailable):
        occupancy.seats(EVENT, -1)
    assert asked == [EVENT, EVENT]


def test_only_sections_that_changed_since_are_told() -> None:
    world = World()
    world.decide(1, 5, "A-1-0")
    world.seats()
    world.decide(2, 8, "B-1-1")
    assert world.taken(since=6) == {"B": 0b10}
    world.decide(2, 9)
    assert world.taken(since=9) == {"B": 0}
    assert world.taken(since=10) == {}


def test_who_knows_an_older_state_than_this_process_gets_everything() -> None:
    world = World()
    world.decide(1, 5, "A-1-0")
    world.decide(1, 9)
    assert world.taken(since=5) == {"A": 0, "B": 0}


def test_the_projection_is_asked_once_a_second_for_what_is_new() -> None:
    world = World()
    world.decide(1, 5, "A-1-0")
    for _ in range(3):
        world.seats()
    world.decide(2, 8, "B-1-1")
    world.seats()
    assert world.asked == [(0, -1), (3, 5)]


def test_another_plan_is_read_as_a_whole_and_without_one_there_are_no_seats() -> None:
    world = World()
    world.decide(1, 5, "A-1-0", "C-1-0")
    world.seats()
    world.plan = StoredPlan(6, [section("C", 1)])
    world.now += FRESH_S
    assert (world.taken(), world.seats().plan) == ({"C": 1}, 6)
    world.plan = None
    world.now += FRESH_S
    assert world.occupancy.seats(EVENT, -1) is None
