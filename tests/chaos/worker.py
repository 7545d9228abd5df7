"""``python -m tests.chaos.worker``: a real ledger worker that stops at a point, or lacks some of its mechanisms.

The environment says what: CHAOS_WORLD is a suffix of its topics and group, CHAOS_TRAP a point and the visit at which
it goes off ("after purchases:3"), CHAOS_EFFECT what happens then (kill or stop), CHAOS_WITHOUT the rules that it lacks.
CHAOS_SLOW slows its recovery and its batches down, CHAOS_ALONE makes it lose its group, CHAOS_HASTY gives up a write
soon, CHAOS_EARLY lets a poll that was begun before a rebalance come back within the next recovery.
"""

import os

import connect.topics

WORLD = os.environ["CHAOS_WORLD"]
for name in ("APP", "COMMANDS", "OUTCOMES", "EVENT_STATUS"):
    setattr(connect.topics, name, f"{getattr(connect.topics, name)}-{WORLD}")
connect.topics.dead_letters = lambda consumer: f"dlq.{consumer}-{WORLD}"

from mode.loop import use  # noqa: E402

use("uvloop")

import asyncio  # noqa: E402
import signal  # noqa: E402
from collections.abc import Iterable  # noqa: E402
from typing import Any  # noqa: E402

import faust  # noqa: E402

import streams.inventory.hold_expiry  # noqa: E402
import streams.inventory.ledger  # noqa: E402
import streams.runtime.app  # noqa: E402
import streams.runtime.table  # noqa: E402
from lab.chaos.mutants.patching import patch  # noqa: E402
from lab.chaos.mutants.registry import VARIABLE, named, take_away  # noqa: E402
from settings import settings  # noqa: E402
from streams.inventory.ledger import LedgerAgent  # noqa: E402
from streams.runtime.app import App  # noqa: E402
from streams.runtime.kafka_types import Message, Record  # noqa: E402
from streams.runtime.produce import Produced  # noqa: E402
from streams.runtime.produce import append as append_really  # noqa: E402
from streams.runtime.table import OffsetTable  # noqa: E402
from streams.worker import make_worker  # noqa: E402
from tables.ledger.records import PURCHASE_MARK  # noqa: E402
from tests.chaos.points import POINTS  # noqa: E402

BATCH = 40
COMMIT_S = 0.3
NEVER_S = 3600.0
# Faust may poll a resumed partition a second late; a batch is then one of many in its queue.
SEEK_S = 2.5
BATCH_S = 0.1
HASTE_S = 1.0


class Trap:
    """Ends or stops this process at the n-th visit of a point."""

    def __init__(self, text: str, effect: str) -> None:
        self.point, _, visits = text.partition(":")
        self.visits = int(visits or 1)
        self.effect = signal.SIGSTOP if effect == "stop" else signal.SIGKILL
        assert self.point in ("", *POINTS), self.point

    def __call__(self, point: str) -> None:
        """This process is at ``point``."""
        if point == self.point:
            self.visits -= 1
            if self.visits == 0:
                os.kill(os.getpid(), self.effect)


def set_traps(trap: Trap) -> None:
    """Put the trap's points around every write of the ledger."""

    async def append(app: App, topic: str, partition: int, records: Iterable[Record]) -> Produced:
        rows = list(records)
        if not rows:
            return await append_really(app, topic, partition, rows)
        what = _name(topic, rows)
        trap(f"before {what}")
        if trap.point == f"within {what}" and len(rows) > 1:
            await append_really(app, topic, partition, rows[: len(rows) // 2])
            trap(f"within {what}")
        place = await append_really(app, topic, partition, rows)
        trap(f"after {what}")
        return place

    patch(streams.runtime.table, "append", append)
    patch(streams.inventory.ledger, "append", append)
    _around(OffsetTable, "store", trap, "store")


def _name(topic: str, rows: list[Record]) -> str:
    if topic == connect.topics.OUTCOMES:
        return "outcomes"
    if topic == connect.topics.COMMANDS:
        return "following"
    return "purchases" if rows[0].key and rows[0].key[16:17] == PURCHASE_MARK else "events"


def _around(owner: Any, method: str, trap: Trap, what: str) -> None:
    really = getattr(owner, method)

    def around(*arguments: Any) -> Any:
        trap(f"before {what}")
        done = really(*arguments)
        trap(f"after {what}")
        return done

    patch(owner, method, around)


def set_commit_trap(app: Any, trap: Trap) -> None:
    """The same around the commit of the input's offsets."""
    really = app.consumer._commit

    async def commit(offsets: Any) -> Any:
        ours = any(tp.topic == connect.topics.COMMANDS for tp in offsets)
        if ours:
            trap("before commit")
        done = await really(offsets)
        if ours:
            trap("after commit")
        return done

    patch(app.consumer, "_commit", commit)


def slow_recovery(app: Any) -> None:
    """Let time pass after the seek: what flows too early is then seen."""
    seek = app.consumer.perform_seek

    async def slow_seek() -> None:
        await seek()
        await asyncio.sleep(SEEK_S)

    patch(app.consumer, "perform_seek", slow_seek)


def slow_batches() -> None:
    """Let time pass in each batch, too."""
    handle = LedgerAgent._handle

    async def slow_handle(agent: LedgerAgent, messages: list[Message]) -> None:
        await asyncio.sleep(BATCH_S)
        await handle(agent, messages)

    patch(LedgerAgent, "_handle", slow_handle)


def poll_early(app: Any) -> None:
    """Let a poll bring records between the seek and the flow."""

    async def poll() -> None:
        consumer = app.consumer
        places = {tp for tp in consumer.assignment() if tp.topic == connect.topics.COMMANDS}
        consumer.resume_flow()
        records = await consumer._getmany(active_partitions=places, timeout=SEEK_S)
        assert records
        consumer.stop_flow()
        await consumer._deliver(records, places, app.consumer_generation_id)

    app.before_agents.append(poll)


def lose_membership(app: Any) -> None:
    """Let aiokafka's part in the group end in an error, as soon as this worker is at work."""

    async def lose() -> None:
        thread = app.consumer._thread
        thread.thread_loop.call_soon_threadsafe(thread._consumer._coordinator._coordination_task.cancel)

    app.before_agents.append(lose)


def main() -> None:
    """Run the worker as ``python -m streams`` does."""
    chosen = settings()
    lacks = named(os.environ.get(VARIABLE, ""))
    trap = Trap(os.environ.get("CHAOS_TRAP", ""), os.environ.get("CHAOS_EFFECT", "kill"))
    # Nothing is committed before a trap, so that how far a worker has to go to it depends on no clock.
    killed = trap.point and trap.effect == signal.SIGKILL and not trap.point.endswith("commit")
    patch(streams.runtime.app, "COMMIT_INTERVAL_S", NEVER_S if killed else COMMIT_S)
    if trap.point or lacks or "CHAOS_SLOW" in os.environ:
        patch(streams.inventory.ledger, "BATCH_MAX_RECORDS", BATCH)
        # Groups go one by one, so that there is something between them.
        patch(OffsetTable, "_batch_max_bytes", 0)
    if trap.point:
        set_traps(trap)
    take_away(lacks, "streams")
    if "CHAOS_SLOW" in os.environ:
        slow_batches()
    app = make_worker(chosen)
    if trap.point.endswith("commit"):
        set_commit_trap(app, trap)
    if "CHAOS_SLOW" in os.environ:
        slow_recovery(app)
    if "CHAOS_EARLY" in os.environ:
        poll_early(app)
    if "CHAOS_HASTY" in os.environ:
        app.producer.request_timeout = HASTE_S
    if "CHAOS_ALONE" in os.environ:
        lose_membership(app)
    faust.Worker(app, loglevel="info", daemon=True, quiet=False).execute_from_commandline()


if __name__ == "__main__":
    main()
