"""The agent that answers requests which the ledger has decided: an outcome with the request's origin in its header.

The ledger may write an outcome more than once. Each request is answered once: that it was is recorded after its answer
is stored, so that a crash in between repeats the same answer.
"""

from typing import Final

from connect.topics import OUTCOMES, requests
from streams.gate.journal import Journal
from streams.gate.replies import reply, send_replies
from streams.runtime.agents import by_partition, in_parallel
from streams.runtime.app import App
from streams.runtime.failures import decode_batch
from streams.runtime.headers import origin_header
from streams.runtime.kafka_types import Message
from streams.runtime.produce import send_to_dead_letters
from tables.messages.answers import decode_told, encode_decided
from tables.messages.request_origins import RequestOrigin, decode_origin

CONSUMER: Final = "answers"
BATCH_MAX_RECORDS: Final = 1_000


class AnswersAgent:
    """Writes ``ticket-answers.<producer>`` from ``ticket-purchase``."""

    def __init__(self, app: App, journal: Journal) -> None:
        self.app = app
        self._journal = journal
        self._topics = frozenset(map(requests, app.settings.producer_quotas))
        app.add_agent(OUTCOMES, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    async def _handle(self, messages: list[Message]) -> None:
        await in_parallel(self._answer(*batch) for batch in by_partition(messages).items())

    async def _answer(self, partition: int, messages: list[Message]) -> None:
        origins = {message.offset: origin for message in messages if (origin := self._origin(message)) is not None}
        outcomes = [message for message in messages if message.offset in origins]
        decoded, dead_letters = decode_batch(outcomes, decode_told)
        answered = self._journal.answered(partition, origins.values())
        replies = []
        for message, outcome in decoded:
            origin = origins[message.offset]
            if answered.add(origin):
                replies.append(reply(origin, message.key, encode_decided(origin.purchase, outcome)))
        await send_replies(self.app, replies)
        await self._journal.record_answered(partition, answered, messages[-1].offset)
        await send_to_dead_letters(self.app, CONSUMER, dead_letters)

    def _origin(self, message: Message) -> RequestOrigin | None:
        """The request that an outcome answers; None if it comes from elsewhere."""
        header = origin_header(message)
        origin = None if header is None else decode_origin(header)
        is_ours = (
            origin is not None and origin.topic in self._topics and origin.partition < self.app.settings.partitions
        )
        return origin if is_ours else None
