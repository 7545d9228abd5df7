"""Table recovery in an order that loses nothing, from changelogs that are read in bulk.

Faust 0.15.3 resumes the partitions before it seeks to the committed offsets, then clears the queues that records went
into meanwhile, and commits past these. Here: seek, resume the flow (which clears the queues), resume the partitions.
docs/ledger.md names the test that shows the difference.
"""

import asyncio
from typing import Any

from aiokafka.errors import IllegalStateError, KafkaError
from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from faust.types import TP
from mode import Service

from streams.runtime.failstop import fail_stop
from streams.runtime.standby import Standbys

RETRY_S = 1.0


class SafeRecovery(Recovery):
    """Recovers the assigned tables after each rebalance, then keeps the standby copies.

    It restarts on Kafka's errors; any other error ends the process.
    """

    retry_interval_s = RETRY_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.standbys = Standbys()
        self._is_rebalancing = False

    async def on_stop(self) -> None:
        """Stop the standby copies."""
        self.stop_standbys()

    def stop_standbys(self) -> None:
        """Stop before partitions move: a copy may be closed, or become the table that the ledger decides on."""
        self._is_rebalancing = True
        self.standbys.end()

    @Service.task  # type: ignore[untyped-decorator,unused-ignore]
    async def _restart_recovery(self) -> None:
        signal: Any = self.signal_recovery_start
        while not self.should_stop:
            if await self.wait_for_stopped(signal):
                return
            signal.clear()
            try:
                await self._recover(self._generation_id)
            except (RebalanceAgain, IllegalStateError):
                continue
            except ServiceStopped:
                return
            except KafkaError as error:
                self.log.warning("restarting the recovery: %r", error)
                await self.sleep(self.retry_interval_s)
                signal.set()
            except Exception as error:  # noqa: BLE001 (nothing may be decided on an incomplete table)
                fail_stop("recovery", error)

    @Service.task  # type: ignore[untyped-decorator,unused-ignore]
    async def _slurp_changelogs(self) -> None:
        """Nothing to do: the tables read their changelogs."""

    @Service.task  # type: ignore[untyped-decorator,unused-ignore]
    async def _publish_stats(self) -> None:
        """Nothing to do: the tables log their progress."""

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """A rebalance ends: recover what is assigned."""
        self._is_rebalancing = False
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)

    async def _recover(self, generation: int) -> None:
        self.standbys.end()
        self._set_recovery_started()
        readings = [
            table.recover({tp.partition for tp in places})  # type: ignore[attr-defined]
            for table, places in self.actives_for_table.items()
        ]
        await self._wait(_all(readings))
        self._set_recovery_ended()
        await self.app.on_rebalance_complete.send()
        if self.app.consumer_generation_id == generation:
            await self._start_agents()
            self._start_standbys()

    async def _wait(self, *waited_for: Any) -> None:
        """Wait. Raises RebalanceAgain where the next rebalance has begun: the partitions may be given up."""
        await super()._wait(*waited_for)
        if self._is_rebalancing:
            raise RebalanceAgain

    def _start_standbys(self) -> None:
        copies: Any = self.standbys_for_table
        if not self._is_rebalancing:
            self.standbys.begin({table: {tp.partition for tp in places} for table, places in copies.items()})

    async def _start_agents(self) -> None:
        app: Any = self.app
        consumer = app.consumer
        assignment = consumer.assignment()
        for step in app.before_seek:
            await self._wait(step())
        if assignment:
            await self._wait(consumer.perform_seek())
        for step in app.before_agents:
            await self._wait(step())
        self.completed.set()
        app.flow_control.resume()
        consumer.resume_partitions({tp for tp in assignment if not self._is_changelog_tp(tp)})
        consumer.resume_flow()
        await app._fetcher.maybe_start()
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        app.on_rebalance_end()
        self.log.info("Worker ready")


async def _all(readings: list[Any]) -> None:
    await asyncio.gather(*readings)


class SafeTableManager(TableManager):
    """The table manager that uses SafeRecovery."""

    async def on_start(self) -> None:
        """Start without Faust's pause of a second for tables that are created late; ours are not."""
        await self._warm_up()
        await self._update_channels()
        await self.recovery.start()

    async def _warm_up(self) -> None:
        """Read all changelogs before joining the group where the folder is empty, so that partitions move quickly."""
        conf = self.app.conf
        if not conf.table_standby_replicas or any(conf.tabledir.glob("*.db")):
            return
        tables: Any = self.values()
        while not self.should_stop:
            try:
                for table in tables:
                    await table.warm_up()
            except KafkaError as error:
                self.log.warning("warming up is put off: %r", error)
                await self.sleep(RETRY_S)
            else:
                return

    def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """A rebalance begins: stop the standby copies first."""
        self.recovery.stop_standbys()
        super().on_partitions_revoked(revoked)

    @property
    def recovery(self) -> SafeRecovery:
        """Recovery service used by this table manager."""
        if not isinstance(self._recovery, SafeRecovery):
            self._recovery = SafeRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
