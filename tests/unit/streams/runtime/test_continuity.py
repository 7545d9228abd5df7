"""What a worker does about a log that has lost records; the broker is two dictionaries."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from aiokafka.errors import CorruptRecordException, KafkaTimeoutError
from faust.types import TP

import streams.runtime.continuity as module
from connect.topics import ACCEPTED_PREFIX, COMMANDS, JOBS, OUTCOMES, changelog
from streams.runtime.app import App
from streams.runtime.continuity import Continuity, LogLost, digests_at
from tables.ledger.continuity import LogBounds
from tables.ledger.records import Watermark, digest_of

LEDGER, MAILS, SALES = TP(COMMANDS, 1), TP(JOBS, 2), TP(OUTCOMES, 3)
CHANGELOG = TP(changelog("ledger"), 1)
SOME_TIME = 1_700_000_000_000


class FakeBroker:
    """The consumer of a worker, the thread in which it asks, and what the broker answers. All partitions are equal."""

    def __init__(self, log: LogBounds, committed: int | None = None, metadata: str = "") -> None:
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

    async def offsets_for_times(self, times: Mapping[TP, int]) -> dict[TP, Any]:
        return {tp: None if self.since is None else SimpleNamespace(offset=self.since) for tp in times}

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        self.commits |= offsets


class FakeRecords:
    """A consumer that finds one record at whatever offset is sought, or an error; to it, all logs are equal."""

    log = LogBounds(0, 1000)
    # Where an open transaction begins: what reads committed records takes that for the end.
    stable: int | None = None
    fault: Exception | None = None
    records: tuple[Any, ...] = ()
    committed_only = True

    def __call__(self, *, isolation_level: str, **_: Any) -> "FakeRecords":
        self.committed_only = isolation_level == "read_committed"
        return self

    async def start(self) -> None: ...

    async def beginning_offsets(self, places: Iterable[TP]) -> dict[TP, int]:
        return dict.fromkeys(places, self.log.begin)

    async def end_offsets(self, places: Iterable[TP]) -> dict[TP, int]:
        end = self.log.end if self.stable is None or not self.committed_only else self.stable
        return dict.fromkeys(places, end)

    async def stop(self) -> None: ...

    def assign(self, places: list[TP]) -> None: ...

    def seek(self, tp: TP, offset: int) -> None: ...

    async def getmany(self, tp: TP, *, timeout_ms: int) -> dict[TP, Any]:
        if self.fault is not None:
            raise self.fault
        return {tp: self.records} if self.records else {}


def record(offset: int, value: bytes) -> Any:
    return ConsumerRecord("t", 1, offset, SOME_TIME, 1, b"k", value, None, 1, 1, ())


@pytest.fixture(autouse=True)
def records(monkeypatch: pytest.MonkeyPatch) -> FakeRecords:
    found = FakeRecords()
    monkeypatch.setattr(module, "AIOKafkaConsumer", found)
    return found


def use(app: App, broker: FakeBroker, records: FakeRecords) -> None:
    consumer: Any = broker
    app.consumer = consumer
    records.log = broker.log


def check(app: App, broker: FakeBroker, records: FakeRecords) -> None:
    use(app, broker, records)
    asyncio.run(Continuity(app).check())


def guard(app: App, watermark: Watermark | None = None) -> None:
    app.guarded[COMMANDS] = lambda partition: watermark


@pytest.mark.parametrize(
    ("log", "committed", "told"),
    [
        (LogBounds(0, 950), 1000, "ends at offset 950"),
        (LogBounds(5000, 6000), None, "offsets 0 to 4999 were deleted"),
        (LogBounds(1200, 2000), 1000, "offsets 1000 to 1199 were deleted"),
    ],
)
def test_a_guarded_topic_that_lost_records_ends_the_worker(
    app: App, records: FakeRecords, log: LogBounds, committed: int | None, told: str
) -> None:
    guard(app)
    broker = FakeBroker(log, committed)
    with pytest.raises(LogLost, match=rf"ticket-commands\[1\]: the log .*{told}"):
        check(app, broker, records)
    assert broker.commits == {}


def test_a_whole_log_is_left_alone(app: App, records: FakeRecords) -> None:
    guard(app)
    broker = FakeBroker(LogBounds(0, 1000), 1000)
    check(app, broker, records)
    assert (broker.commits, app.counters.lost) == ({}, {})


def test_a_log_does_not_end_where_somebodys_open_transaction_begins(app: App, records: FakeRecords) -> None:
    guard(app, Watermark(999, digest_of(b"k", b"v", SOME_TIME)))
    records.stable, records.records = 950, (record(999, b"v"),)
    check(app, FakeBroker(LogBounds(0, 1000), 1000), records)


def test_another_record_where_one_was_decided_ends_the_worker(app: App, records: FakeRecords) -> None:
    guard(app, Watermark(999, digest_of(b"k", b"old", SOME_TIME)))
    records.records = (record(999, b"old"),)
    check(app, FakeBroker(LogBounds(0, 1000), 1000), records)
    records.records = (record(999, b"new"),)
    with pytest.raises(LogLost, match="at offset 999 is not the one"):
        check(app, FakeBroker(LogBounds(0, 1000), 1000), records)


def test_commands_that_somebody_has_set_the_groups_offset_past_are_decided(
    app: App, records: FakeRecords, caplog: pytest.LogCaptureFixture
) -> None:
    guard(app, Watermark(900, digest_of(b"k", b"v", SOME_TIME)))
    records.records = (record(900, b"v"),)
    broker = FakeBroker(LogBounds(0, 1000), 1000)
    check(app, broker, records)
    assert (broker.commits, app.counters.lost) == ({LEDGER: 901}, {})
    assert [one.levelname for one in caplog.records] == ["WARNING"]  # the end of a transaction looks the same
    asyncio.run(Continuity(app).check_guarded())


def test_an_offset_that_an_operator_has_set_is_begun_at(app: App, records: FakeRecords) -> None:
    guard(app, Watermark(999, digest_of(b"k", b"old", SOME_TIME)))
    records.records = (record(999, b"new"),)
    broker = FakeBroker(LogBounds(0, 1000), 1000, metadata=f"{ACCEPTED_PREFIX}the disk was lost")
    check(app, broker, records)
    assert broker.commits == {}


def test_any_other_topic_goes_on_and_tells_what_is_lost(
    app: App, records: FakeRecords, caplog: pytest.LogCaptureFixture
) -> None:
    broker = FakeBroker(LogBounds(1200, 2000), 1000)
    broker.inputs, broker.since = [MAILS], 1900
    with caplog.at_level(logging.CRITICAL):
        check(app, broker, records)
    assert broker.commits == {MAILS: 1200}
    assert app.counters.lost == {JOBS: 200}
    assert f"{MAILS.topic}[{MAILS.partition}]: the log begins at offset 1200" in caplog.text
    assert "continuing at offset 1200" in caplog.text


def test_a_log_that_was_cut_is_read_again_where_repeats_change_nothing(app: App, records: FakeRecords) -> None:
    broker = FakeBroker(LogBounds(100, 950), 1000)
    broker.inputs = [SALES]
    check(app, broker, records)
    assert broker.commits == {SALES: 100}


@pytest.mark.parametrize(("since", "begin"), [(940, 940), (None, 950)])
def test_of_jobs_only_the_newest_are_read_again(app: App, records: FakeRecords, since: int | None, begin: int) -> None:
    broker = FakeBroker(LogBounds(100, 950), 1000)
    broker.inputs, broker.since = [MAILS], since
    check(app, broker, records)
    assert broker.commits == {MAILS: begin}


def test_a_worker_looks_again_while_it_decides(app: App, records: FakeRecords) -> None:
    guard(app)
    state: Any = app
    use(app, FakeBroker(LogBounds(0, 950), 1000), records)
    state.rebalancing, state.tables.actives_ready = False, True
    with pytest.raises(LogLost):
        asyncio.run(Continuity(app).check_guarded())
    state.rebalancing = True
    asyncio.run(Continuity(app).check_guarded())


@pytest.mark.parametrize(("end", "ends"), [(950, ["ends at offset 950: offsets 950 to 999"]), (1000, [])])
def test_a_fetch_that_the_broker_sends_back_ends_the_process_where_the_log_was_cut(
    app: App, records: FakeRecords, monkeypatch: pytest.MonkeyPatch, end: int, ends: list[str]
) -> None:
    told: list[str] = []
    monkeypatch.setattr(module, "fail_stop", lambda doing, error: told.append(str(error)))
    use(app, FakeBroker(LogBounds(0, end), 900), records)
    asyncio.run(Continuity(app).on_rewind(SALES, 1000))
    assert [text in one for text, one in zip(ends, told, strict=True)] == [True] * len(ends)


def test_a_fetch_that_the_broker_sends_back_before_an_open_transaction_ends_nothing(
    app: App, monkeypatch: pytest.MonkeyPatch, records: FakeRecords
) -> None:
    told: list[str] = []
    monkeypatch.setattr(module, "fail_stop", lambda doing, error: told.append(str(error)))
    use(app, FakeBroker(LogBounds(0, 1000), 900), records)
    records.stable = 950
    asyncio.run(Continuity(app).on_rewind(SALES, 1000))
    assert told == []


def test_a_record_that_is_not_there_has_no_digest(records: FakeRecords) -> None:
    records.records = (record(8, b"v"),)
    assert asyncio.run(digests_at(records, {LEDGER: 7})) == {LEDGER: None}
    assert asyncio.run(digests_at(records, {LEDGER: 8})) == {LEDGER: digest_of(b"k", b"v", SOME_TIME)}


def test_a_record_that_can_not_be_read_is_not_compared(records: FakeRecords) -> None:
    records.fault = CorruptRecordException()
    assert asyncio.run(digests_at(records, {LEDGER: 7})) == {LEDGER: None}


def test_a_broker_that_gives_no_record_is_not_waited_for_for_ever(records: FakeRecords) -> None:
    with pytest.raises(KafkaTimeoutError, match=r"ticket-commands\[1\] can't be read"):
        asyncio.run(digests_at(records, {LEDGER: 7}, timeout_s=-1.0))
