"""Which purchases the ledger has on record, asked for many at once.

Lookups within GATHER_S share one call. So asking costs little when many ask, which is when it matters.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

from api.problems import Unavailable

GATHER_S: Final = 0.02
MOST: Final = 200

log = logging.getLogger(__name__)

# Those of an event's purchases that are on record; called in a thread.
Ask = Callable[[UUID, Collection[UUID]], set[UUID]]


class _Question:
    """A purchase each from many requests, and the answer for all of them; None where nobody can tell."""

    def __init__(self) -> None:
        self.purchases: set[UUID] = set()
        self.on_record: asyncio.Future[set[UUID] | None] = asyncio.get_running_loop().create_future()


class Census:
    """Asks ``ask`` on behalf of many requests of the loop."""

    def __init__(self, ask: Ask, gather: float = GATHER_S) -> None:
        self._ask = ask
        self._gather = gather
        self._open: dict[UUID, _Question] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def is_new(self, event: UUID, purchase: UUID) -> bool:
        """Whether the ledger has surely no purchase of this id; False also where nobody can tell."""
        question = self._open.get(event) or self._begin(event)
        question.purchases.add(purchase)
        if len(question.purchases) >= MOST:
            del self._open[event]
        on_record = await asyncio.shield(question.on_record)
        return on_record is not None and purchase not in on_record

    def _begin(self, event: UUID) -> _Question:
        question = self._open[event] = _Question()
        task = asyncio.create_task(self._answer(event, question))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return question

    async def _answer(self, event: UUID, question: _Question) -> None:
        await asyncio.sleep(self._gather)
        if self._open.get(event) is question:
            del self._open[event]
        try:
            question.on_record.set_result(await asyncio.to_thread(self._ask, event, question.purchases))
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.exception("what is on record could not be asked")
            question.on_record.set_result(None)
