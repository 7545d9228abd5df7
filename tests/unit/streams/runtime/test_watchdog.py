"""A worker that does nothing is noticed; the consumer is a fake."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from faust.types import TP

from streams.runtime.app import App
from streams.runtime.watchdog import DEAD, SICK, Pulse, Stalled

PLACE = TP("input", 0)


class Input:
    """One partition of an input: what of it is there, and what comes next."""

    topic = PLACE.topic

    def __init__(self) -> None:
        self.begin, self.end = 0, 10
        self.next: int | None = 3
        self.away = False
        self.membership = SimpleNamespace(done=lambda: False)
        coordinator = SimpleNamespace(_coordination_task=self.membership)
        self._thread = SimpleNamespace(_consumer=SimpleNamespace(_coordinator=coordinator))

    def due(self, partition: int) -> int | None:
        assert partition == PLACE.partition
        return self.next

    def assignment(self) -> set[TP]:
        return {PLACE, TP("other", 0)}

    async def earliest_offsets(self, *places: TP) -> dict[TP, int]:
        assert places == (PLACE,)
        if self.away:
            raise KafkaConnectionError
        return {PLACE: self.begin}

    async def highwaters(self, *places: TP) -> dict[TP, int]:
        return {PLACE: self.end}


@pytest.fixture
def reading() -> Input:
    return Input()


@pytest.fixture
def app(app: App, reading: Input) -> App:
    app.watched.append(reading)
    consumer: Any = reading
    app.consumer = consumer
    app.rebalancing = False
    tables: Any = app.tables
    tables.on_actives_ready()
    return app


@pytest.fixture
def pulse(app: App) -> Pulse:
    return Pulse(app)


def look(pulse: Pulse, times: int) -> None:
    for _ in range(times):
        asyncio.run(pulse.look())


def test_input_that_nobody_takes_makes_a_worker_sick_and_then_ends_it(pulse: Pulse) -> None:
    look(pulse, SICK)
    assert pulse.sick == ""
    look(pulse, 1)
    assert pulse.sick == "the input waits for 30 s"
    look(pulse, DEAD - SICK - 1)
    with pytest.raises(Stalled):
        look(pulse, 1)


def test_a_worker_that_goes_on_is_well_however_far_it_is_behind(pulse: Pulse, reading: Input) -> None:
    look(pulse, SICK + 1)
    reading.next = 4
    look(pulse, SICK)
    assert pulse.sick == ""


@pytest.mark.parametrize(("due", "begin", "end"), [(10, 0, 10), (None, 0, 0), (None, 10, 10), (3, 10, 10)])
def test_a_worker_with_nothing_to_take_is_well(
    pulse: Pulse, reading: Input, due: int | None, begin: int, end: int
) -> None:
    reading.next, reading.begin, reading.end = due, begin, end
    look(pulse, DEAD + 1)
    assert pulse.sick == ""


def test_a_worker_in_recovery_is_well(pulse: Pulse, app: App) -> None:
    look(pulse, SICK)
    app.tables.on_rebalance_start()
    look(pulse, DEAD)
    assert pulse.sick == ""


def test_a_worker_that_waits_for_a_server_is_well_until_it_waits_no_more(pulse: Pulse, app: App) -> None:
    app.figures.waits("appending", 1.0)
    look(pulse, DEAD + 1)
    assert pulse.sick == ""
    app.figures.waits_no_more("appending")
    with pytest.raises(Stalled):
        look(pulse, DEAD + 1)


def test_an_ended_membership_is_noticed_at_once(pulse: Pulse, reading: Input) -> None:
    reading.membership.done = lambda: True
    with pytest.raises(Stalled, match="membership"):
        look(pulse, 1)
    assert "membership" in pulse.sick


def test_a_broker_that_is_away_is_no_reason_to_end(pulse: Pulse, reading: Input) -> None:
    reading.away = True
    with pytest.raises(KafkaConnectionError):
        look(pulse, 1)
