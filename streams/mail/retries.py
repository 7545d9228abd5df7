"""The agent that lets jobs wait: what stands on ``notification-retries`` comes back to the mailer after a pause.

All wait equally long, so the first one is due first, and nobody else has to wait for them.
"""

import time

from connect.topics import JOBS, RETRIES
from streams.runtime.agents import add_agent
from streams.runtime.app import App
from streams.runtime.dead_letters import bury, sort_out
from streams.runtime.headers import carried_headers
from streams.runtime.kafka_types import Message
from streams.runtime.produce import Record
from streams.runtime.retry import append, wait
from tables.messages.mail_jobs import decode_job

CONSUMER = "retries"
MOST = 500
PAUSE_S = 30.0


class RetriesAgent:
    """Moves jobs from ``notification-retries`` to ``notification-jobs``, thirty seconds later or a little more."""

    def __init__(self, app: App) -> None:
        self.app = app
        add_agent(app, RETRIES, self._handle, name=CONSUMER, batch_max_records=MOST)

    async def _handle(self, messages: list[Message]) -> None:
        last = max(message.timestamp for message in messages)
        # A producer may have given its record any time.
        await wait(self.app, min(PAUSE_S, last + PAUSE_S - time.time()))
        jobs: dict[int, list[Record]] = {}
        readable, letters = sort_out(messages, decode_job)
        for message, job in readable:
            again = Record(str(job.account).encode(), message.value, carried_headers(message))
            jobs.setdefault(message.partition, []).append(again)
        for partition, records in jobs.items():
            await append(self.app, JOBS, partition, records)
        await bury(self.app, CONSUMER, letters)
