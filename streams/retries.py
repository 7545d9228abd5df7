"""The agent that lets jobs wait: what stands on ``notification-retries`` comes back to the mailer after a pause.

All wait equally long, so the first one is due first, and nobody else has to wait for them.
"""

import time

from faust.types import Message, StreamT

from connect.topics import JOBS, RETRIES
from streams.app import App, raw_topic
from streams.append import Record
from streams.batches import in_batches
from streams.deadletters import headers_of
from streams.patience import append, wait

CONSUMER = "retries"
MOST = 500
PAUSE_S = 30.0


class RetriesAgent:
    """Moves jobs from ``notification-retries`` to ``notification-jobs``, thirty seconds later or a little more."""

    def __init__(self, app: App) -> None:
        self.app = app
        app.agent(raw_topic(app, RETRIES), name=CONSUMER, concurrency=1)(self._return_all)

    async def _return_all(self, stream: StreamT[bytes]) -> None:
        await in_batches(stream, self._handle, busy=self.app.busy, most=MOST, name=CONSUMER)

    async def _handle(self, messages: list[Message]) -> None:
        last = max(message.timestamp for message in messages)
        await wait(self.app, last + PAUSE_S - time.time())
        jobs: dict[int, list[Record]] = {}
        for message in messages:
            jobs.setdefault(message.partition, []).append(Record(message.key, message.value, headers_of(message)))
        for partition, records in jobs.items():
            await append(self.app, JOBS, partition, records)
