"""What is left of an event: asked once a second, however many look."""

import threading
from uuid import UUID, uuid4

import pytest

from api.adapters.ledger import availability_cache
from api.adapters.ledger.availability_cache import FRESH_S, AvailabilityCache, TicketsLeft
from api.adapters.ledger.worker_views import TypeView
from api.ports.sales import Left
from api.problems import Unavailable
from tables.messages.availability import Availability

EVENT, KIND = uuid4(), uuid4()


class Ledger:
    """Answers with what is ``available``, and counts the questions."""

    def __init__(self) -> None:
        self.available = 5
        self.down = False
        self.questions = 0
        self.now = 100.0
        self.views = AvailabilityCache(self.ask, lambda: self.now)

    def ask(self, event: UUID) -> list[TypeView]:
        self.questions += 1
        if self.down:
            raise Unavailable("worker")
        return [TypeView(KIND, Availability.AVAILABLE, self.available, 0, 0)] if event == EVENT else []


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_a_crowd_is_one_question_a_second(ledger: Ledger) -> None:
    for _ in range(100):
        assert ledger.views.left(EVENT) == {KIND: Left(Availability.AVAILABLE, 5)}
    assert ledger.questions == 1
    ledger.available, ledger.now = 4, ledger.now + FRESH_S
    assert ledger.views.left(EVENT) == {KIND: Left(Availability.AVAILABLE, 4)}
    assert ledger.questions == 2


@pytest.mark.parametrize("known", [{KIND: Left(Availability.AVAILABLE, 5)}, None])
def test_a_lookup_during_a_slow_one_gives_the_entry_before_it(
    ledger: Ledger, known: TicketsLeft | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if known is None:
        monkeypatch.setattr(availability_cache, "FRESH_S", 0.01)
    else:
        ledger.views.left(EVENT)
    ledger.available, ledger.now = 4, ledger.now + FRESH_S
    asked, go_on = threading.Event(), threading.Event()
    ask = ledger.ask

    def slow(event: UUID) -> list[TypeView]:
        asked.set()
        go_on.wait(3)
        return ask(event)

    ledger.views._ask = slow
    one = threading.Thread(target=ledger.views.left, args=(EVENT,))
    one.start()
    assert asked.wait(10)
    ledger.now += 7.5  # of three workers that hang
    assert ledger.views.left(EVENT) == known
    go_on.set()
    one.join(10)
    assert ledger.views.left(EVENT) == {KIND: Left(Availability.AVAILABLE, 4)}
    assert ledger.questions == 2 - (known is None)


def test_where_nobody_can_tell_nothing_is_told_and_nobody_is_asked_all_the_time(ledger: Ledger) -> None:
    ledger.down = True
    assert ledger.views.left(EVENT) is None
    assert ledger.views.left(EVENT) is None
    assert ledger.questions == 1
    ledger.down, ledger.now = False, ledger.now + FRESH_S
    assert ledger.views.left(EVENT) == {KIND: Left(Availability.AVAILABLE, 5)}


def test_an_event_that_the_ledger_does_not_know_has_nothing_on_its_shelves(ledger: Ledger) -> None:
    assert ledger.views.left(uuid4()) == {}
