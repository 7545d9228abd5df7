"""When a recovery restarts, when it ends the process, and when standby copies are kept."""

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import IllegalStateError, KafkaConnectionError
from faust.tables.recovery import RebalanceAgain, Recovery
from faust.types import TP

import streams.runtime.recovery
from connect.topics import changelog
from streams.runtime.app import App
from streams.runtime.recovery import SafeRecovery, SafeTableManager
from streams.runtime.table import OffsetTable
from tables.errors import InvariantBroken


class Ended(Exception):
    pass


def fail_stop(doing: str, error: BaseException) -> None:
    raise Ended(f"{doing}: {error!r}")


@pytest.fixture
def recovery(app: App, monkeypatch: pytest.MonkeyPatch) -> SafeRecovery:
    monkeypatch.setattr(streams.runtime.recovery, "fail_stop", fail_stop)
    recovery = SafeRecovery(app, app.tables)
    recovery.retry_interval_s = 0.0
    return recovery


def run(recovery: SafeRecovery, *faults: Exception) -> int:
    """How often a recovery is begun if these go wrong one after the other."""
    begun = 0
    left = list(faults)

    async def recover(generation: int) -> None:
        nonlocal begun
        begun += 1
        if left:
            raise left.pop(0)
        recovery.set_shutdown()
        recovery._stopped.set()

    async def begin() -> None:
        signal: Any = recovery.signal_recovery_start
        signal.set()
        task: Any = SafeRecovery._restart_recovery
        running = asyncio.ensure_future(task.fun(recovery))
        while not running.done():
            await asyncio.sleep(0.01)
            if begun and isinstance(faults[0], (RebalanceAgain, IllegalStateError)):
                signal.set()
        await running

    recovery._recover = recover  # type: ignore[method-assign]
    asyncio.run(begin())
    return begun


def test_a_recovery_begins_again_while_kafka_fails(recovery: SafeRecovery) -> None:
    assert run(recovery, KafkaConnectionError(), KafkaConnectionError()) == 3


@pytest.mark.parametrize("fault", [RebalanceAgain(), IllegalStateError()])
def test_a_recovery_that_a_rebalance_interrupts_waits_for_the_next(recovery: SafeRecovery, fault: Exception) -> None:
    assert run(recovery, fault) == 2


def test_a_table_that_can_not_be_recovered_ends_the_process(recovery: SafeRecovery) -> None:
    with pytest.raises(Ended, match="the folder"):
        run(recovery, InvariantBroken("the folder knows more"))


class FakeStandbys:
    """Remembers whether copies are being written."""

    def __init__(self) -> None:
        self.copies: dict[OffsetTable, set[int]] = {}

    def begin(self, copies: dict[OffsetTable, set[int]]) -> None:
        self.copies = copies

    def end(self) -> None:
        self.copies = {}


@pytest.fixture
def standing_by(recovery: SafeRecovery, table: OffsetTable) -> FakeStandbys:
    """What follows when a recovery has ended: copies are kept of what others own."""
    standbys = FakeStandbys()
    recovery.standbys = standbys  # type: ignore[assignment]
    recovery.standbys_for_table[table] = {TP("changelog", 3)}
    recovery._start_standbys()
    assert standbys.copies == {table: {3}}
    return standbys


def rebalancing(recovery: SafeRecovery) -> None:
    manager: Any = recovery.app.tables
    assert isinstance(manager, SafeTableManager)
    manager._recovery = recovery
    manager.on_partitions_revoked({TP("changelog", 1)})


def test_no_copy_is_written_once_a_rebalance_begins(recovery: SafeRecovery, standing_by: FakeStandbys) -> None:
    rebalancing(recovery)
    assert standing_by.copies == {}


def test_a_recovery_that_ends_after_a_rebalance_has_begun_keeps_no_copies(
    recovery: SafeRecovery, standing_by: FakeStandbys
) -> None:
    rebalancing(recovery)
    recovery._start_standbys()
    assert standing_by.copies == {}


def test_after_the_next_assignment_copies_are_kept_again(
    recovery: SafeRecovery, standing_by: FakeStandbys, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = standing_by.copies
    rebalancing(recovery)

    async def assign(*_: object) -> None: ...

    monkeypatch.setattr(Recovery, "on_rebalance", assign)
    asyncio.run(recovery.on_rebalance(set(), set(), set(), 8))
    recovery._start_standbys()
    assert standing_by.copies == kept


def test_a_worker_that_ends_keeps_no_copies(recovery: SafeRecovery, standing_by: FakeStandbys) -> None:
    asyncio.run(recovery.on_stop())
    recovery._start_standbys()
    assert standing_by.copies == {}


@pytest.mark.parametrize("rebalance", ["", "has ended", "has begun", "begins at read", "begins at repair"])
def test_records_flow_once_the_tables_are_read_the_log_is_checked_and_all_is_sought(
    recovery: SafeRecovery, app: App, table: OffsetTable, monkeypatch: pytest.MonkeyPatch, rebalance: str
) -> None:
    steps: list[str] = []

    def step(name: str, *, waits: bool = True) -> Any:
        async def waited(*_: object) -> None:
            await asyncio.sleep(0)
            steps.append(name)
            if rebalance == f"begins at {name}":
                rebalancing(recovery)

        return waited if waits else lambda *_: steps.append(name)

    here, copied = TP("commands", 1), TP(changelog(table.name), 3)
    consumer: Any = SimpleNamespace(
        assignment=lambda: {here, copied},
        perform_seek=step("seek"),
        resume_partitions=lambda places: steps.append(f"resume {len(places)}: {here in places}"),
        resume_flow=step("flow", waits=False),
    )
    state: Any = app
    state.consumer, state.consumer_generation_id = consumer, 7 + (rebalance == "has ended")
    state.before_seek, state.before_agents = [step("check")], [step("repair")]
    monkeypatch.setattr(table, "recover", step("read"))
    monkeypatch.setattr(app.flow_control, "resume", step("queues", waits=False))
    monkeypatch.setattr(type(app), "_fetcher", SimpleNamespace(maybe_start=step("fetch")))
    monkeypatch.setattr(app.tables, "on_actives_ready", step("ready", waits=False))
    recovery.actives_for_table[table] = {TP("changelog", 1)}
    if rebalance == "has begun":
        rebalancing(recovery)
    with pytest.raises(RebalanceAgain) if "beg" in rebalance else nullcontext():
        asyncio.run(recovery._recover(7))
    order = ["read", "check", "seek", "repair", "queues", "resume 1: True", "flow", "fetch", "ready"]
    assert steps == order[: {"": None, "begins at repair": 4}.get(rebalance, 1)]
