"""The views of an earlier moment, of the owner and by way of another worker. The log is in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.scratch import Scratch
from streams.inventory.snapshots import Snapshot
from streams.inventory.views import event_past
from streams.runtime.kafka_types import KafkaError
from streams.runtime.web_slots import WebSlots
from tables.ledger.event_replay import EventReplay, MemoryTable
from tests.unit.streams.inventory.view_workers import PARTITIONS, ViewWorker, home_of, serving
from tests.unit.tables.ledger_driver import CODES, EVENT, moment, purchase_id
from tests.unit.tables.modelled_log import RandomLog, model_after, records_of

HOME = home_of(EVENT)
# The random log's times are in the future, which has no state yet.
BACK_MS = 400_000_000_000
LOG = [each._replace(at=each.at - BACK_MS) for each in RandomLog(4, 300).commands]
LAST = LOG[-1].offset
CUT = 150


class Log:
    """The log of the owner's partition as TopicReader gives it. Its last record is unreadable."""

    def __init__(self) -> None:
        self.begin = 0
        self.error: Exception | None = None
        self.is_stuck = False

    @asynccontextmanager
    async def open(self, partition: int) -> AsyncIterator["Log"]:
        assert partition == HOME
        if self.error:
            raise self.error
        yield self

    async def begin_offsets(self) -> dict[int, int]:
        return {HOME: self.begin}

    async def records(self, begins: dict[int, int], ends: dict[int, int]) -> AsyncIterator[list[Any]]:
        if self.is_stuck:
            await asyncio.Event().wait()
        unreadable = SimpleNamespace(offset=LAST + 1, timestamp=LOG[-1].at, value=b"{")
        records = [each for each in [*records_of(LOG), unreadable] if each.offset >= begins[HOME]]
        for first in range(0, len(records), 50):
            yield records[first : first + 50]


def table_after(offset: int) -> MemoryTable:
    """The event's records after the command at an offset."""
    table = MemoryTable()
    replay = EventReplay(table, EVENT, CODES)
    for each in LOG:
        if each.offset <= offset:
            replay.apply(each)
    return table


@pytest.fixture(scope="module")
def last_records() -> dict[bytes, bytes]:
    """The event's records after the last command."""
    return dict(table_after(LAST).scan())


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def workers(tmp_path: Path, log: Log, last_records: dict[bytes, bytes]) -> Iterator[list[ViewWorker]]:
    """The owner of EVENT's partition, and the owner of all others."""
    group: dict[str, dict[str, list[int]]] = {}
    parts = [{HOME}, set(range(PARTITIONS)) - {HOME}]
    folder = tmp_path / "snapshots"
    pair = [ViewWorker(tmp_path / str(len(it)), it, group, ledger_snapshots=folder) for it in parts]
    for worker in pair:
        consumer: Any = worker.app.consumer
        consumer.start_offset = lambda _: LAST + 2
        worker.views.past.open_log = log.open  # type: ignore[assignment]
    pair[0].store(last_records)
    with serving(*pair):
        yield pair


@pytest.fixture(params=["owner", "other"])
def worker(request: Any, workers: list[ViewWorker]) -> ViewWorker:
    return workers[0 if request.param == "owner" else 1]


def event_at(worker: ViewWorker, as_of: Any) -> Any:
    return worker.get(f"/api/event/{EVENT}/", params={"asOf": str(as_of)})


def stock_of(body: Any) -> dict[str, tuple[int, int]]:
    return {each["ticketType"]: (each["held"], each["sold"]) for each in body["ticketTypes"]}


def problem_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


@pytest.mark.parametrize("offset", [LOG[each].offset for each in range(5, len(LOG), 60)])
def test_any_worker_shows_an_event_as_it_was(worker: ViewWorker, offset: int) -> None:
    body = event_at(worker, offset).raise_for_status().json()
    assert (stock_of(body), body["asOf"]["offset"]) == (model_after(LOG, offset).stock_of(str(EVENT)), offset)
    at = next(each.at for each in LOG if each.offset == offset)
    assert event_at(worker, moment(at).isoformat()).json()["asOf"]["at"] == body["asOf"]["at"] == at


def test_a_moment_after_the_last_command_shows_what_the_live_view_shows(worker: ViewWorker) -> None:
    live = worker.get_json(f"/api/event/{EVENT}/")
    assert "asOf" not in live
    for as_of in (LAST + 1, moment(LOG[-1].at + 1_000).isoformat()):
        then = event_at(worker, as_of).json()
        assert then.pop("asOf")["offset"] == LAST + 1
        assert then == live


def test_any_worker_shows_a_purchase_as_it_was(worker: ViewWorker) -> None:
    last = model_after(LOG, LAST).purchases.items()
    sold = [purchase for (event, purchase), row in last if event == str(EVENT) and row.status != "rejected"][:8]
    seen = set()
    for place in range(10, len(LOG), 40):
        model = model_after(LOG, LOG[place].offset)
        for purchase in sold:
            answer = worker.get(f"/api/purchase/{EVENT}/{purchase}/", params={"asOf": str(LOG[place].offset)})
            row = model.purchases.get((str(EVENT), purchase))
            body = answer.json()
            assert body["status"] == (404 if row is None else row.status)
            if row is not None:
                assert body["asOf"]["offset"] == body["history"][-1]["offset"] <= LOG[place].offset
            seen.add(body["status"])
    assert len(seen) > 2


def test_an_event_that_the_ledger_did_not_know_then_is_not_found(worker: ViewWorker) -> None:
    assert problem_of(event_at(worker, 0)) == (404, "not-found")


@pytest.mark.parametrize(
    "as_of", ["", "x", "-1", LAST + 2, "9" * 19, "2017-07-14T02:40:00", "2999-01-01T00:00:00Z", "0001-01-01"]
)
@pytest.mark.parametrize("path", [f"/api/event/{EVENT}/", f"/api/purchase/{EVENT}/{purchase_id(0)}/"])
def test_a_moment_that_the_ledger_has_not_reached_is_refused(workers: list[ViewWorker], path: str, as_of: Any) -> None:
    workers[0].store(dict(table_after(LAST).scan()))
    answer = workers[1].get(path, params={"asOf": str(as_of)})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?asOf")


def test_a_log_without_its_beginning_is_told(worker: ViewWorker, log: Log) -> None:
    log.begin = 7
    assert problem_of(event_at(worker, LAST)) == (410, "history-gone")


def test_a_log_that_is_too_long_is_told(worker: ViewWorker, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_past, "RECORDS_MAX", 100)
    answer = event_at(worker, LAST)
    assert problem_of(answer) == (503, "history-too-long")
    assert "turnstile event" in answer.json()["detail"]
    monkeypatch.setattr(event_past, "TIMEOUT_S", 0.05)
    log.is_stuck = True
    assert problem_of(event_at(worker, LAST)) == (503, "history-too-long")


def test_kafka_that_does_not_answer_is_told(worker: ViewWorker, log: Log) -> None:
    log.error = KafkaError()
    assert problem_of(event_at(worker, LAST)) == (503, "partition-unavailable")


def test_there_are_only_a_few_readers_at_once(worker: ViewWorker) -> None:
    worker.views.past._slots = WebSlots(0)
    assert problem_of(event_at(worker, LAST)) == (503, "busy")


def test_a_partition_that_moves_meanwhile_is_told(workers: list[ViewWorker], log: Log) -> None:
    @asynccontextmanager
    async def moving(_: int) -> AsyncIterator[Log]:
        workers[0].owned.clear()
        yield log

    workers[0].views.past.open_log = moving  # type: ignore[assignment]
    assert problem_of(event_at(workers[0], LAST)) == (503, "partition-unavailable")


@pytest.fixture
def snapshot(tmp_path: Path, log: Log) -> Snapshot:
    """A snapshot after the command CUT of the log, of which the first records are gone."""
    made = Snapshot(tmp_path / "snapshots", HOME, LOG[CUT].offset, LOG[CUT].at)
    with closing(Scratch(made.path)) as table:
        table.write(table_after(made.offset).scan())
        table.flush()
    log.begin = made.offset
    return made


def test_a_snapshot_stands_for_what_the_log_has_lost(worker: ViewWorker, snapshot: Snapshot) -> None:
    for place in (CUT, CUT + 1, len(LOG) - 1):
        body = event_at(worker, LOG[place].offset).raise_for_status().json()
        assert stock_of(body) == model_after(LOG, LOG[place].offset).stock_of(str(EVENT))
        assert body["asOf"] == {"offset": LOG[place].offset, "at": LOG[place].at}
    assert problem_of(event_at(worker, LOG[CUT - 1].offset)) == (410, "history-gone")


def test_a_snapshot_that_the_log_does_not_continue_tells_its_own_offset_alone(
    worker: ViewWorker, snapshot: Snapshot, log: Log
) -> None:
    log.begin = snapshot.offset + 2
    assert event_at(worker, snapshot.offset).json()["asOf"]["offset"] == snapshot.offset
    assert problem_of(event_at(worker, LAST)) == (410, "history-gone")


def test_a_damaged_snapshot_is_never_read_as_if_it_were_whole(worker: ViewWorker, snapshot: Snapshot) -> None:
    for file in snapshot.path.glob("*.sst"):
        content = bytearray(file.read_bytes())
        content[len(content) // 4] ^= 1
        file.write_bytes(content)
    assert problem_of(event_at(worker, LAST)) == (500, "internal-error")
