"""Table recovery in an order that loses nothing, from changelogs that are read in bulk.

Faust 0.15.3 lets records flow between resuming the partitions and seeking to the committed offset, then
clears the queues that they flowed into and commits past them. Here: seek, resume the flow (which
clears the queues), then the partitions. docs/ledger.md tells which test shows the difference.
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
    """Recovery of what is assigned, after each rebalance; then copies of what this worker stands by for.

    While Kafka fails it begins again; anything else that goes wrong ends the process.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.standbys = Standbys()
        self._unsettled = False

    async def on_stop(self) -> None:
        """Keep no more copies."""
        self.unsettle()

    def unsettle(self) -> None:
        """Before anything changes hands: a copy may be about to be closed, or to be decided on."""
        self._unsettled = True
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
                self.log.warning("the recovery begins again: %r", error)
                await self.sleep(RETRY_S)
                signal.set()
            except Exception as error:  # noqa: BLE001 (a table that is not whole must not be worked on)
                fail_stop("recovery", error)

    @Service.task  # type: ignore[untyped-decorator,unused-ignore]
    async def _slurp_changelogs(self) -> None:
        """Changelogs are read by the tables themselves."""

    @Service.task  # type: ignore[untyped-decorator,unused-ignore]
    async def _publish_stats(self) -> None:
        """The tables tell how far they are."""

    async def _recover(self, generation: int) -> None:
        self._unsettled = False
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
            await self._hand_over()
            self._stand_by()

    def _stand_by(self) -> None:
        copies: Any = self.standbys_for_table
        if not self._unsettled:
            self.standbys.begin({table: {tp.partition for tp in places} for table, places in copies.items()})

    async def _hand_over(self) -> None:
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
        """Start without the second that Faust waits for tables made late: ours are all made before."""
        await self._warm_up()
        await self._update_channels()
        await self.recovery.start()

    async def _warm_up(self) -> None:
        """A worker that begins with nothing reads all before it joins, so that nobody waits for what it takes over."""
        conf = self.app.conf
        if not conf.table_standby_replicas or any(conf.tabledir.glob("*.db")):
            return
        tables: Any = self.values()
        while not self.should_stop:
            try:
                for table in tables:
                    await table.warm_up()
            except KafkaError as error:
                self.log.warning("the tables wait for Kafka: %r", error)
                await self.sleep(RETRY_S)
            else:
                return

    def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """A rebalance begins."""
        self.recovery.unsettle()
        super().on_partitions_revoked(revoked)

    @property
    def recovery(self) -> SafeRecovery:
        """Recovery service used by this table manager."""
        if not isinstance(self._recovery, SafeRecovery):
            self._recovery = SafeRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
