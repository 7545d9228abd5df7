"""The agent that checks a producer's requests: each becomes a command on the log, or an answer that refuses it.

A batch is handled in this order, each step acknowledged before the next: the checks are recorded, commands, answers,
dead letters; then its input is committed. A replay repeats the recorded checks. Partitions are handled in parallel.

The next batch waits for as long as the quota says, so that the ledger soon has time for the commands of others.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from connect.records.fetching import SkippedOffsets
from connect.topics import COMMANDS, requests
from streams.gate.accounts import KnownAccounts
from streams.gate.events import KnownEvents
from streams.gate.journal import Journal
from streams.gate.replies import Reply, origin_of, reply, send_replies
from streams.runtime.agents import by_partition, in_parallel
from streams.runtime.app import App
from streams.runtime.failures import dead_letter, interruptible_sleep
from streams.runtime.kafka_types import TP, Message, Record
from streams.runtime.produce import append_keyed, send_to_dead_letters
from streams.runtime.record_context import trace_headers
from tables.errors import MalformedRecord
from tables.gate.admission import command_of, forbidden, throttled, unknown
from tables.gate.quota import Quota
from tables.gate.records import QuotaRecord
from tables.messages.answers import encode_answer, malformed
from tables.messages.commands import encode_command
from tables.messages.request_origins import ORIGIN, RequestOrigin, encode_origin
from tables.messages.requests import Request, decode_request

CONSUMER: Final = "gate"
# Of a batch that can't be read. A decompression bomb may claim millions; nobody wrote so many requests in good faith.
UNREADABLE_MAX_ANSWERS: Final = 100_000
_ANSWERS_AT_ONCE: Final = 1_000


class Incoming(NamedTuple):
    """A request that was read."""

    message: Message
    origin: RequestOrigin
    request: Request


class RequestsAgent:
    """Reads the requests of one producer."""

    def __init__(self, app: App, producer: str, journal: Journal, accounts: KnownAccounts, events: KnownEvents) -> None:
        self.app = app
        self.producer = producer
        self.topic = requests(producer)
        self._journal = journal
        self._accounts = accounts
        self._events = events
        self._quota = Quota(app.settings.producer_quotas[producer])
        self._next_batch_s = 0.0  # monotonic clock
        self._takes_payments = producer in app.settings.paid_producers
        app.on_unreadable.append(self.answer_unreadable)
        at_once = self._quota.batch_max_records
        app.add_agent(self.topic, self._handle, name=f"{CONSUMER}.{producer}", batch_max_records=at_once)

    async def answer_unreadable(self, place: TP, skips: Sequence[SkippedOffsets]) -> None:
        """Answer what the fetcher can't read: key and headers are unknown, the place is not."""
        if place.topic == self.topic:
            answer = encode_answer(malformed(MalformedRecord("the record can't be read")))
            for skip in skips:
                for offsets in _answered_offsets(skip):
                    origins = [RequestOrigin(self.topic, place.partition, offset, 0) for offset in offsets]
                    await send_replies(self.app, [reply(origin, None, answer) for origin in origins])

    async def _handle(self, messages: list[Message]) -> None:
        left_s = self._next_batch_s - time.monotonic()
        if left_s > 0:
            await interruptible_sleep(self.app, left_s)
        began_s = time.monotonic()
        batches = by_partition(messages).items()
        counts = await in_parallel(self._handle_partition(partition, batch) for partition, batch in batches)
        self._next_batch_s = began_s + self._quota.pause_s(max(counts))

    async def _handle_partition(self, partition: int, messages: list[Message]) -> int:
        """Handle the requests of a partition. Gives the number of those that were let through."""
        incoming, replies, dead_letters = _read(messages)
        refused = await self._check(partition, incoming)
        admitted = [each for each in incoming if each.origin.offset not in refused]
        await self._forward(admitted)
        for each in incoming:
            answer = refused.get(each.origin.offset)
            if answer is not None:
                replies.append(reply(each.origin, each.message.key, answer))
        await send_replies(self.app, replies)
        await send_to_dead_letters(self.app, CONSUMER, dead_letters)
        return len(admitted)

    async def _check(self, partition: int, incoming: list[Incoming]) -> dict[int, bytes]:
        """By offset the answers to the requests that are refused; recorded once this returns."""
        used = self._journal.quota(partition, self.topic)
        before = self._journal.checks(partition, used, (each.origin for each in incoming))
        refused = {offset: answer for offset, answer in before.items() if answer}
        new = [each for each in incoming if each.origin.offset not in before]
        if new:
            found = self._take_quota(used, new, refused)
            await self._look_up([each for each in new if each.origin.offset not in refused], refused)
            answers = [(each.origin, refused[each.origin.offset]) for each in new if each.origin.offset in refused]
            await self._journal.record_checks(partition, self.topic, found, answers)
        return refused

    def _take_quota(self, used: QuotaRecord, incoming: list[Incoming], refused: dict[int, bytes]) -> QuotaRecord:
        """Refuse what is beyond the quota. Gives how far it is used up then."""
        full_at_us, latest_ms = used.full_at_us, used.at_ms
        for _, origin, request in incoming:
            full_at_us, retry_at_ms = self._quota.take(full_at_us, origin.at_ms)
            latest_ms = max(latest_ms, origin.at_ms)
            if retry_at_ms is not None:
                refused[origin.offset] = encode_answer(throttled(request, retry_at_ms))
        return QuotaRecord(incoming[-1].origin.offset, full_at_us, latest_ms)

    async def _look_up(self, incoming: list[Incoming], refused: dict[int, bytes]) -> None:
        """Refuse what is of an account or for an event that does not exist, or what the producer may not send."""
        unknown_events = await self._events.unknown(each.request for each in incoming)
        for _, origin, request in incoming:
            answer = forbidden(request, takes_payments=self._takes_payments) or unknown(
                request,
                is_account_known=self._accounts.has(request.account),
                is_event_known=request.event not in unknown_events,
            )
            if answer is not None:
                refused[origin.offset] = encode_answer(answer)

    async def _forward(self, incoming: list[Incoming]) -> None:
        hold_seconds = self.app.settings.hold_seconds
        commands = []
        for message, origin, request in incoming:
            command = command_of(request, self.producer, hold_seconds)
            headers = (*trace_headers(message), (ORIGIN, encode_origin(origin)))
            commands.append(Record(message.key, encode_command(command), headers))
        await append_keyed(self.app, COMMANDS, commands)


def _answered_offsets(skip: SkippedOffsets) -> Iterator[range]:
    """The offsets that are answered, a part of them at a time, so that a bomb fills no memory."""
    end = min(skip.last + 1, skip.offset + UNREADABLE_MAX_ANSWERS)
    for first in range(skip.offset, end, _ANSWERS_AT_ONCE):
        yield range(first, min(first + _ANSWERS_AT_ONCE, end))


def _read(messages: list[Message]) -> tuple[list[Incoming], list[Reply], list[Record]]:
    """The requests, and the answers and dead letters of what can't be decoded."""
    incoming: list[Incoming] = []
    replies: list[Reply] = []
    dead_letters: list[Record] = []
    for message in messages:
        try:
            request = decode_request(message.key, message.value)
        except MalformedRecord as error:
            replies.append(reply(origin_of(message), message.key, encode_answer(malformed(error))))
            dead_letters.append(dead_letter(message, error))
        else:
            incoming.append(Incoming(message, origin_of(message, request.purchase), request))
    return incoming, replies, dead_letters
