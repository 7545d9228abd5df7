"""``python -m tests.chaos.payments_worker``: a real worker of the role payments that is killed at one of its writes.

CHAOS_TRAP names a point of PAYMENT_POINTS. What is written within one is half of a batch.
"""

import asyncio

import uvloop

# As ``python -m streams`` does, before anything of Faust is imported.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

import os  # noqa: E402
import signal  # noqa: E402
from collections.abc import Iterable  # noqa: E402
from typing import Any, Final  # noqa: E402

import streams.__main__  # noqa: E402
import streams.runtime.produce  # noqa: E402
import streams.runtime.table  # noqa: E402
from connect.topics import COMMANDS, PAYMENT_EVENTS, PAYMENT_REQUESTS, RESENDS  # noqa: E402
from lab.chaos.mutants.patching import patch  # noqa: E402
from streams.runtime.app import App  # noqa: E402
from streams.runtime.kafka_types import Record  # noqa: E402
from streams.runtime.produce import Produced  # noqa: E402
from streams.runtime.projection import Projection, Rows  # noqa: E402
from streams.worker import make_worker  # noqa: E402
from tests.chaos.points import PAYMENT_POINTS  # noqa: E402

NAMES: Final = {RESENDS: "mails", PAYMENT_EVENTS: "events", PAYMENT_REQUESTS: "requests", COMMANDS: "commands"}

point: Final = os.environ["CHAOS_TRAP"]
append_really: Final = streams.runtime.produce.append


def reach(place: str) -> None:
    """This process is at a place."""
    if place == point:
        os.kill(os.getpid(), signal.SIGKILL)


async def append(app: App, topic: str, partition: int, records: Iterable[Record]) -> Produced:
    """Append, with the points around it."""
    rows = list(records)
    what = "records" if topic.endswith("-changelog") else NAMES.get(topic, topic)
    reach(f"before {what}")
    if point == f"within {what}" and len(rows) > 1:
        await append_really(app, topic, partition, rows[: len(rows) // 2])
        reach(point)
    produced = await append_really(app, topic, partition, rows)
    reach(f"after {what}")
    return produced


def after_rows() -> None:
    """The same after the rows of PostgreSQL."""
    write = Projection.write

    async def write_then(projection: Projection, rows: Rows) -> list[Record]:
        letters = await write(projection, rows)
        if rows:
            reach("after rows")
        return letters

    patch(Projection, "write", write_then)


def after_commits(app: Any) -> None:
    """The same after the commits of offsets of payment events."""
    commit = app.consumer._commit

    async def commit_then(offsets: Any) -> Any:
        done = await commit(offsets)
        if any(place.topic == PAYMENT_EVENTS for place in offsets):
            reach("after commit")
        return done

    patch(app.consumer, "_commit", commit_then)


def trapped_worker(chosen: Any) -> Any:
    """The worker, with its points."""
    app = make_worker(chosen)
    after_commits(app)
    return app


def main() -> None:
    """Run it as ``python -m streams`` does."""
    assert point in PAYMENT_POINTS, point
    for module in (streams.runtime.produce, streams.runtime.table):
        patch(module, "append", append)
    after_rows()
    patch(streams.__main__, "make_worker", trapped_worker)
    streams.__main__.main()


if __name__ == "__main__":
    main()
