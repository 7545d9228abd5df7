"""What a worker does about a log that has lost something; the broker is two dictionaries."""

import asyncio
import logging
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from aiokafka.errors import CorruptRecordException, KafkaTimeoutError
from faust.types import TP

import streams.runtime.continuity as module
from connect.topics import ACCEPTED, COMMANDS, JOBS, OUTCOMES, changelog
from streams.app import App
from streams.runtime.continuity import Continuity, LogLost, digests_at
from tables.continuity import Log
from tables.watermark import Watermark, digest_of

LEDGER, MAILS, SALES = TP(COMMANDS, 1), TP(JOBS, 2), TP(OUTCOMES, 3)
CHANGELOG = TP(changelog("ledger"), 1)
SOME_TIME = 1_700_000_000_000


class FakeBroker:
    """The consumer of a worker, the thread in which it asks, and what the broker answers. All partitions are equal."""

    def __init__(self, log: Log, committed: int | None = None, metadata: str = "") -> None:
        self.log = log
        self.committed = committed
        self.metadata = metadata
        self.since: int | None = None
        self.commits: dict[TP, int] = {}
        self.inputs = [LEDGER, CHANGELOG]
        self._thread = self
        self._coordinator = self

    def assignment(self) -> list[TP]:
        return self.inputs

    def _is_changelog_tp(self, tp: TP) -> bool:
        return tp == CHANGELOG

    def _ensure_consumer(self) -> "FakeBroker":
        return self

    async def call_thread(self, ask: Any, *arguments: Any) -> Any:
        return await ask(*arguments)

    async def fetch_committed_offsets(self, places: list[TP]) -> dict[TP, Any]:
        assert CHANGELOG not in places
        if self.committed is None:
            return {}
        return dict.fromkeys(places, SimpleNamespace(offset=self.committed, metadata=self.metadata))

    async def earliest_offsets(self, *places: TP) -> dict[TP, int]:
        return dict.fromkeys(places, self.log.begin)

    async def highwaters(self, *places: TP) -> dict[TP, int]:
        return dict.fromkeys(places, self.log.end)

    async def offsets_for_times(self, times: Mapping[TP, int]) -> dict[TP, Any]:
        return {tp: None if self.since is None else SimpleNamespace(offset=self.since) for tp in times}

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        self.commits |= offsets


class FakeRecords:
    """A consumer that finds one record at whatever offset is sought, or an error."""

    fault: Exception | None = None
    records: tuple[Any, ...] = ()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def assign(self, places: list[TP]) -> None: ...

    def seek(self, tp: TP, offset: int) -> None: ...

    async def getmany(self, tp: TP, *, timeout_ms: int) -> dict[TP, Any]:
        if self.fault is not None:
            raise self.fault
        return {tp: self.records} if self.records else {}


def record(offset: int, value: bytes) -> Any:
    return ConsumerRecord("t", 1, offset, SOME_TIME, 1, b"k", value, None, 1, 1, ())


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> FakeRecords:
    found = FakeRecords()
    monkeypatch.setattr(module, "AIOKafkaConsumer", lambda **_: found)
    return found


def check(app: App, broker: FakeBroker) -> None:
    consumer: Any = broker
    app.consumer = consumer
    asyncio.run(Continuity(app).check())


def guard(app: App, watermark: Watermark | None = None) -> None:
    app.guarded[COMMANDS] = lambda partition: watermark


@pytest.mark.parametrize(
    ("log", "committed", "told"),
    [
        (Log(0, 950), 1000, "ends at offset 950"),
        (Log(5000, 6000), None, "offsets 0 to 4999 were deleted"),
        (Log(1200, 2000), 1000, "offsets 1000 to 1199 were deleted"),
    ],
)
def test_a_guarded_topic_that_lost_records_ends_the_worker(
    app: App, log: Log, committed: int | None, told: str
) -> None:
    guard(app)
    broker = FakeBroker(log, committed)
    with pytest.raises(LogLost, match=rf"ticket-commands\[1\]: the log .*{told}"):
        check(app, broker)
    assert broker.commits == {}


def test_a_whole_log_is_left_alone(app: App) -> None:
    guard(app)
    broker = FakeBroker(Log(0, 1000), 1000)
    check(app, broker)
    assert (broker.commits, app.figures.lost) == ({}, {})


def test_another_record_where_one_was_decided_ends_the_worker(app: App, records: FakeRecords) -> None:
    guard(app, Watermark(999, digest_of(b"k", b"old", SOME_TIME)))
    records.records = (record(999, b"old"),)
    check(app, FakeBroker(Log(0, 1000), 1000))
    records.records = (record(999, b"new"),)
    with pytest.raises(LogLost, match="at offset 999 is not the one"):
        check(app, FakeBroker(Log(0, 1000), 1000))


def test_an_offset_that_an_operator_has_set_is_begun_at(app: App, records: FakeRecords) -> None:
    guard(app, Watermark(999, digest_of(b"k", b"old", SOME_TIME)))
    records.records = (record(999, b"new"),)
    broker = FakeBroker(Log(0, 1000), 1000, metadata=f"{ACCEPTED}the disk was lost")
    check(app, broker)
    assert broker.commits == {}


def test_any_other_topic_goes_on_and_tells_what_is_lost(app: App, caplog: pytest.LogCaptureFixture) -> None:
    broker = FakeBroker(Log(1200, 2000), 1000)
    broker.inputs = [SALES]
    with caplog.at_level(logging.CRITICAL):
        check(app, broker)
    assert broker.commits == {SALES: 1200}
    assert app.figures.lost == {OUTCOMES: 200}
    assert "ticket-purchase[3]: the log begins at offset 1200" in caplog.text
    assert "going on at offset 1200" in caplog.text


def test_a_log_that_was_cut_is_read_again_where_repeats_change_nothing(app: App) -> None:
    broker = FakeBroker(Log(100, 950), 1000)
    broker.inputs = [SALES]
    check(app, broker)
    assert broker.commits == {SALES: 100}


@pytest.mark.parametrize(("since", "begin"), [(940, 940), (None, 950)])
def test_of_jobs_only_the_newest_are_read_again(app: App, since: int | None, begin: int) -> None:
    broker = FakeBroker(Log(100, 950), 1000)
    broker.inputs, broker.since = [MAILS], since
    check(app, broker)
    assert broker.commits == {MAILS: begin}


def test_a_worker_looks_again_while_it_decides(app: App) -> None:
    guard(app)
    state: Any = app
    state.consumer = FakeBroker(Log(0, 950), 1000)
    state.rebalancing, state.tables.actives_ready = False, True
    with pytest.raises(LogLost):
        asyncio.run(Continuity(app).look())
    state.rebalancing = True
    asyncio.run(Continuity(app).look())


@pytest.mark.parametrize(("end", "ends"), [(950, ["ends at offset 950: offsets 950 to 999"]), (1000, [])])
def test_a_fetch_that_the_broker_sends_back_ends_the_process_where_the_log_was_cut(
    app: App, monkeypatch: pytest.MonkeyPatch, end: int, ends: list[str]
) -> None:
    told: list[str] = []
    monkeypatch.setattr(module, "fail_stop", lambda doing, error: told.append(str(error)))
    consumer: Any = FakeBroker(Log(0, end), 900)
    app.consumer = consumer
    asyncio.run(Continuity(app).went_back(SALES, 1000))
    assert [text in one for text, one in zip(ends, told, strict=True)] == [True] * len(ends)


def test_a_record_that_is_not_there_has_no_digest(records: FakeRecords) -> None:
    records.records = (record(8, b"v"),)
    assert asyncio.run(digests_at("a:1", {LEDGER: 7})) == {LEDGER: None}
    assert asyncio.run(digests_at("a:1", {LEDGER: 8})) == {LEDGER: digest_of(b"k", b"v", SOME_TIME)}


def test_a_record_that_can_not_be_read_is_not_compared(records: FakeRecords) -> None:
    records.fault = CorruptRecordException()
    assert asyncio.run(digests_at("a:1", {LEDGER: 7})) == {LEDGER: None}


def test_a_broker_that_gives_no_record_is_not_waited_for_for_ever(
    records: FakeRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_WITHIN_S", -1.0)
    with pytest.raises(KafkaTimeoutError, match=r"ticket-commands\[1\] can't be read"):
        asyncio.run(digests_at("a:1", {LEDGER: 7}))
