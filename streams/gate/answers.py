"""The agent that answers requests which the ledger has decided: an outcome with the request's origin in its header.

The ledger may write an outcome more than once. Each request is answered once: that it was is recorded after its answer
is stored, so that a crash in between repeats the same answer.
"""

from typing import Final

from connect.topics import OUTCOMES, requests
from streams.gate.journal import Journal
from streams.gate.replies import reply, send_replies
from streams.runtime.agents import add_agent
from streams.runtime.app import App
from streams.runtime.dead_letters import decode_batch, send_to_dead_letters
from streams.runtime.headers import origin_header
from streams.runtime.kafka_types import Message
from tables.ids import id_bytes
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
        add_agent(app, OUTCOMES, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    async def _handle(self, messages: list[Message]) -> None:
        by_partition: dict[int, dict[RequestOrigin, Message]] = {}
        for message in messages:
            origin = self._origin(message)
            if origin is not None:
                by_partition.setdefault(message.partition, {}).setdefault(origin, message)
        for partition, outcomes in by_partition.items():
            await self._answer(partition, outcomes)

    async def _answer(self, partition: int, outcomes: dict[RequestOrigin, Message]) -> None:
        before = self._journal.answered(partition, list(outcomes))
        new = [item for item, is_answered in zip(outcomes.items(), before, strict=True) if not is_answered]
        origins = {id(message): origin for origin, message in new}
        decoded, dead_letters = decode_batch([message for _, message in new], decode_told)
        replies = []
        for message, outcome in decoded:
            origin = origins[id(message)]
            answer = encode_decided(origin.purchase, outcome)
            replies.append(reply(origin, id_bytes(outcome.event), answer))
        await send_replies(self.app, replies)
        await self._journal.record_answered(partition, [origin for origin, _ in replies])
        await send_to_dead_letters(self.app, CONSUMER, dead_letters)

    def _origin(self, message: Message) -> RequestOrigin | None:
        """The request that an outcome answers; None if it comes from elsewhere."""
        header = origin_header(message)
        origin = None if header is None else decode_origin(header)
        is_ours = (
            origin is not None and origin.topic in self._topics and origin.partition < self.app.settings.partitions
        )
        return origin if is_ours else None
