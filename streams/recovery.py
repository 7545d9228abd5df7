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
from mode import Service

from streams.failstop import fail_stop

RETRY_S = 1.0


class SafeRecovery(Recovery):
    """Recovery of what is assigned, after each rebalance.

    While Kafka fails it begins again; anything else that goes wrong ends the process.
    """

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

    async def _hand_over(self) -> None:
        app: Any = self.app
        consumer = app.consumer
        assignment = consumer.assignment()
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
        await self._update_channels()
        await self.recovery.start()

    @property
    def recovery(self) -> Recovery:
        """Recovery service used by this table manager."""
        if self._recovery is None:
            self._recovery = SafeRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
