"""The agents that put a mail on ``notification-jobs`` again: a postponed one after a pause, a sent one on request."""

import time
from collections.abc import Callable

from connect.topics import JOBS, RESENDS, RETRIES
from streams.mail.bookings import MAILS_AT_ONCE, Bookings, TracedJob, send_jobs
from streams.runtime.app import App
from streams.runtime.failures import dead_letter, decode_batch, interruptible_sleep
from streams.runtime.headers import forwarded_headers
from streams.runtime.kafka_types import Message, Record
from streams.runtime.produce import append_keyed, send_to_dead_letters
from streams.runtime.record_context import trace_headers
from tables.errors import MalformedRecord
from tables.ids import id_bytes
from tables.messages.mail_jobs import Job, decode_job
from tables.messages.mail_requests import Resend, decode_resend

RETRIES_CONSUMER = "retries"
RESENDS_CONSUMER = "resends"
UNKNOWN_PAUSE_S = 2.0


class RetriesAgent:
    """Moves jobs from ``notification-retries`` to ``notification-jobs`` after a pause (a setting), or a little more.

    All wait for the same time, so that the first one is due first and delays no other.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._pause_s = app.settings.mail_retry_seconds
        app.add_agent(RETRIES, self._handle, name=RETRIES_CONSUMER, batch_max_records=MAILS_AT_ONCE, commit_each=True)

    async def _handle(self, messages: list[Message]) -> None:
        last = max(message.timestamp for message in messages)
        # A producer may have set any timestamp.
        await interruptible_sleep(self.app, min(self._pause_s, last + self._pause_s - time.time()))
        decoded, dead_letters = decode_batch(messages, decode_job)
        again = [Record(id_bytes(job.account), message.value, forwarded_headers(message)) for message, job in decoded]
        await append_keyed(self.app, JOBS, again)
        await send_to_dead_letters(self.app, RETRIES_CONSUMER, dead_letters)


class ResendsAgent:
    """Writes ``notification-jobs`` from ``notification-requests``: a purchase's last mail once more.

    A purchase may be asked about before it is booked, as its outcome comes by another topic. Such a request waits until
    ``is_caught_up(partition)`` says that all outcomes are booked.
    """

    def __init__(self, app: App, bookings: Bookings, is_caught_up: Callable[[int], bool]) -> None:
        self.app = app
        self.bookings = bookings
        self._is_caught_up = is_caught_up
        app.add_agent(RESENDS, self._handle, name=RESENDS_CONSUMER, batch_max_records=MAILS_AT_ONCE, commit_each=True)

    async def _handle(self, messages: list[Message]) -> None:
        decoded, dead_letters = decode_batch(messages, decode_resend)
        jobs = []
        for (message, resend), job in zip(decoded, await self._jobs(decoded), strict=True):
            if job is None:
                error = MalformedRecord(f"no mail to resend for purchase {resend.purchase}")
                dead_letters.append(dead_letter(message, error))
            else:
                jobs.append(TracedJob(job, trace_headers(message)))
        await send_jobs(self.app, jobs)
        await send_to_dead_letters(self.app, RESENDS_CONSUMER, dead_letters)

    async def _jobs(self, requests: list[tuple[Message, Resend]]) -> list[Job | None]:
        """The mail of each request, once its purchase is known or all outcomes of its partition are booked."""
        caught_up = False
        while True:
            jobs = [self.bookings.unit_of_work(message.partition).resend(resend) for message, resend in requests]
            unknown = {message.partition for (message, _), job in zip(requests, jobs, strict=True) if job is None}
            if caught_up or not unknown:
                return jobs
            # The end of a log is known as of the last fetch, and that may be older than the request.
            await interruptible_sleep(self.app, UNKNOWN_PAUSE_S)
            caught_up = all(map(self._is_caught_up, unknown))
