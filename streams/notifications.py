"""The agent that turns outcomes into mails to send, keyed by account so that they meet their contact."""

from faust.types import Message, StreamT

from connect.topics import JOBS, OUTCOMES
from streams.app import App, raw_topic
from streams.append import Record, append
from streams.batches import in_batches
from streams.deadletters import bury, sort_out
from streams.partitioning import partition_of
from tables.jobs import encode_job, job_for
from tables.outcomes import decode_outcome

CONSUMER = "notifications"
MOST = 1_000


class NotificationsAgent:
    """Writes ``notification-jobs`` from ``ticket-purchase``."""

    def __init__(self, app: App) -> None:
        self.app = app
        app.agent(raw_topic(app, OUTCOMES), name=CONSUMER, concurrency=1)(self._notify_all)

    async def _notify_all(self, stream: StreamT[bytes]) -> None:
        await in_batches(stream, self._handle, busy=self.app.busy, most=MOST, name=CONSUMER)

    async def _handle(self, messages: list[Message]) -> None:
        jobs: dict[int, list[Record]] = {}
        readable, letters = sort_out(messages, decode_outcome)
        for _, outcome in readable:
            job = job_for(outcome)
            if job is not None:
                key = str(job.account).encode()
                home = partition_of(key, self.app.settings.partitions)
                jobs.setdefault(home, []).append(Record(key, encode_job(job)))
        for home, records in jobs.items():
            await append(self.app, JOBS, home, records)
        await bury(self.app, CONSUMER, letters)
