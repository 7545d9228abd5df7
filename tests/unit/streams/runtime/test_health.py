"""A worker without progress is noticed, and its pages say so; consumer and web server are fakes."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from faust.types import TP

from streams.runtime.app import App
from streams.runtime.health import DEAD_CHECKS, UNHEALTHY_CHECKS, HealthPages, Stalled, Watchdog
from streams.runtime.kafka_types import Message

PLACE = TP("input", 0)
TASKS = (
    "the membership of the consumer group",
    "the fetching of records",
    "the consumer's update of metadata",
    "the sending of records",
    "the producer's update of metadata",
)


class Input:
    """One partition of an input: what of it is there, and what comes next."""

    def __init__(self) -> None:
        self.begin, self.end = 0, 10
        self.next: int | None = 3
        self.away = False
        self.tasks = {name: SimpleNamespace(done=lambda: False) for name in TASKS}
        self._thread = SimpleNamespace(
            _consumer=SimpleNamespace(
                _coordinator=SimpleNamespace(_coordination_task=self.tasks["the membership of the consumer group"]),
                _fetcher=SimpleNamespace(_fetch_task=self.tasks["the fetching of records"]),
                _client=SimpleNamespace(_sync_task=self.tasks["the consumer's update of metadata"]),
            )
        )
        self.producer = SimpleNamespace(
            _sender=SimpleNamespace(sender_task=self.tasks["the sending of records"]),
            client=SimpleNamespace(_sync_task=self.tasks["the producer's update of metadata"]),
        )

    def next_offset(self, tp: TP) -> int | None:
        assert tp == PLACE
        return self.next

    def inputs(self) -> list[TP]:
        return [PLACE]

    async def earliest_offsets(self, *places: TP) -> dict[TP, int]:
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
    consumer: Any = reading
    app.consumer = consumer
    producer: Any = SimpleNamespace(_producer=reading.producer)
    app.producer = producer
    app.rebalancing = False
    tables: Any = app.tables
    tables.on_actives_ready()
    return app


@pytest.fixture
def watchdog(app: App) -> Watchdog:
    return Watchdog(app)


def check(watchdog: Watchdog, times: int) -> None:
    for _ in range(times):
        asyncio.run(watchdog.check())


def test_input_that_nobody_takes_makes_a_worker_sick_and_then_ends_it(watchdog: Watchdog) -> None:
    check(watchdog, UNHEALTHY_CHECKS)
    assert watchdog.problem == ""
    check(watchdog, 1)
    assert watchdog.problem == "no progress for 30 s"
    check(watchdog, DEAD_CHECKS - UNHEALTHY_CHECKS - 1)
    with pytest.raises(Stalled):
        check(watchdog, 1)


def test_a_worker_that_goes_on_is_well_however_far_it_is_behind(watchdog: Watchdog, reading: Input) -> None:
    check(watchdog, UNHEALTHY_CHECKS + 1)
    reading.next = 4
    check(watchdog, UNHEALTHY_CHECKS)
    assert watchdog.problem == ""


@pytest.mark.parametrize(("due", "begin", "end"), [(10, 0, 10), (None, 0, 0), (None, 10, 10), (3, 10, 10)])
def test_a_worker_with_nothing_to_take_is_well(
    watchdog: Watchdog, reading: Input, due: int | None, begin: int, end: int
) -> None:
    reading.next, reading.begin, reading.end = due, begin, end
    check(watchdog, DEAD_CHECKS + 1)
    assert watchdog.problem == ""


@pytest.mark.parametrize("guarded", [True, False])
def test_only_the_ledger_may_not_be_at_work_on_its_input_for_so_long(
    watchdog: Watchdog, app: App, guarded: bool
) -> None:
    message: Any = Message(PLACE.topic, 0, 3, 0.0, (), None, b"", PLACE, 1)
    app.in_flight.acquire(set(), [message])
    app.guarded |= {PLACE.topic: lambda _: None} if guarded else {}
    check(watchdog, UNHEALTHY_CHECKS + 1)
    assert bool(watchdog.problem) is guarded


def test_input_that_nobody_takes_is_noticed_between_the_batches_of_other_partitions(
    watchdog: Watchdog, app: App
) -> None:
    message: Any = Message(PLACE.topic, 1, 3, 0.0, (), None, b"", PLACE, 1)
    unacked: set[Any] = set()
    for _ in range(UNHEALTHY_CHECKS - 1):
        app.in_flight.acquire(unacked, [message])
        check(watchdog, 3)
        app.in_flight.release(unacked, [message])
        check(watchdog, 1)
    assert watchdog.problem == ""
    check(watchdog, 1)
    assert watchdog.problem == "no progress for 30 s"


def test_a_worker_in_recovery_is_well(watchdog: Watchdog, app: App) -> None:
    check(watchdog, UNHEALTHY_CHECKS)
    app.tables.on_rebalance_start()
    check(watchdog, DEAD_CHECKS)
    assert watchdog.problem == ""


def test_a_worker_that_waits_for_a_server_is_well_until_it_waits_no_more(watchdog: Watchdog, app: App) -> None:
    app.counters.begin_wait("appending", 1.0)
    check(watchdog, DEAD_CHECKS + 1)
    assert watchdog.problem == ""
    app.counters.end_wait("appending")
    with pytest.raises(Stalled):
        check(watchdog, DEAD_CHECKS + 1)


@pytest.mark.parametrize("name", TASKS)
def test_an_ended_task_of_a_client_is_noticed_at_once(watchdog: Watchdog, reading: Input, app: App, name: str) -> None:
    check(watchdog, 1)
    reading.tasks[name].done = lambda: True
    with pytest.raises(Stalled, match=f"{name} has ended"):
        check(watchdog, 1)
    assert watchdog.problem == f"{name} has ended"
    app._stopped.set()  # then it is meant to
    check(watchdog, 1)


def test_clients_that_have_not_begun_are_no_problem(watchdog: Watchdog, reading: Input, app: App) -> None:
    reading._thread._consumer._fetcher = None
    app.producer._producer = None  # type: ignore[attr-defined]
    check(watchdog, 1)
    assert watchdog.problem == ""


def test_a_broker_that_is_away_is_no_reason_to_end(watchdog: Watchdog, reading: Input) -> None:
    reading.away = True
    with pytest.raises(KafkaConnectionError):
        check(watchdog, 1)


@pytest.mark.parametrize(("problem", "status"), [("", 200), ("no progress for 30 s", 503)])
def test_a_worker_that_does_nothing_does_not_pass_for_alive(app: App, problem: str, status: int) -> None:
    watchdog: Any = SimpleNamespace(problem=problem)
    request: Any = None
    answer: Any = asyncio.run(HealthPages(app, watchdog).live(request))
    assert (answer.status, json.loads(answer.body)) == (status, {"status": problem or "live"})
