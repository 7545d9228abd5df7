"""The desk: order, what happens to the rest when a clerk has to wait, and pauses."""

import gc
import logging
import weakref
from functools import partial

import gevent
import pytest
from gevent.event import Event

from api.desk import RESTING, Desk
from api.steps import Call

SOON: float = 0.01


class Break:
    """A pause that is over when somebody says so."""

    def __init__(self, seconds: float = 60.0, *, is_over: bool = False) -> None:
        self.seconds = seconds
        self.is_over = is_over
        self.on_over: Call = lambda: None

    def wait(self) -> None: ...

    def end(self) -> None:
        self.is_over = True
        self.on_over()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_work_is_done_in_the_order_in_which_it_came(desk: Desk) -> None:
    done: list[int] = []

    def one_and_three() -> None:
        done.append(1)
        desk.do(lambda: done.append(3))

    desk.do(one_and_three)
    desk.do(lambda: done.append(2))
    assert done == []
    gevent.sleep(SOON)
    assert done == [1, 2, 3]


def test_while_somebody_has_to_wait_all_others_are_served(desk: Desk) -> None:
    done: list[str] = []
    door = Event()

    def wait() -> None:
        door.wait()
        done.append("waited")

    for work in (wait, lambda: done.append("next"), wait, lambda: done.append("last")):
        desk.do(work)
    gevent.sleep(SOON)
    assert done == ["next", "last"]
    desk.do(lambda: done.append("later"))
    gevent.sleep(SOON)
    door.set()
    gevent.sleep(SOON)
    assert done == ["next", "last", "later", "waited", "waited"]


def test_after_a_rush_few_clerks_stay_and_they_work_on(desk: Desk) -> None:
    done: list[object] = []
    door = Event()
    for _ in range(3 * RESTING):
        desk.do(lambda: done.append(door.wait()))
    gevent.sleep(SOON)
    door.set()
    gevent.sleep(SOON)
    assert len(done) == 3 * RESTING
    assert len(desk._resting) == RESTING
    desk.do(lambda: done.append("more"))
    gevent.sleep(SOON)
    assert done[-1] == "more"


def test_what_fails_is_logged_and_holds_up_nobody(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []
    desk.do(lambda: int("x"))
    desk.do(lambda: done.append("next"))
    with caplog.at_level(logging.ERROR):
        gevent.sleep(SOON)
    assert done == ["next"]
    [record] = caplog.records
    assert record.exc_info is not None


@pytest.mark.parametrize("pause", [Break(is_over=True), Break(seconds=0.0)])
def test_what_is_over_is_waited_for_no_longer(desk: Desk, pause: Break) -> None:
    done: list[int] = []
    desk.after(pause, lambda: done.append(1))
    gevent.sleep(SOON)
    assert done == [1]


def test_a_pause_ends_once(desk: Desk) -> None:
    done: list[str] = []
    first, second = Break(), Break(seconds=0.1)
    desk.after(first, lambda: done.append("told"))
    desk.after(second, lambda: done.append("too late"))
    gevent.sleep(SOON)
    assert done == []
    first.end()
    gevent.sleep(SOON)
    assert done == ["told"]
    gevent.sleep(0.3)
    assert done == ["told", "too late"]
    first.end()
    second.end()
    gevent.sleep(SOON)
    assert done == ["told", "too late"]


def test_a_pause_that_is_over_is_let_go_without_the_garbage_collector(desk: Desk) -> None:
    pause, done = Break(), []
    is_kept = weakref.ref(pause)
    desk.after(pause, lambda: done.append(1))
    pause.end()
    gevent.sleep(SOON)
    gc.disable()
    try:
        del pause
        assert (done, is_kept()) == ([1], None)
    finally:
        gc.enable()


def test_the_clock_is_looked_at_again_after_nobody_waited(desk: Desk) -> None:
    done: list[int] = []
    for number in range(2):
        desk.after(Break(seconds=0.05), partial(done.append, number))
        gevent.sleep(0.25)
    assert done == [0, 1]
