"""Which purchases the ledger has on record, asked for many at once.

Whoever asks within a moment is part of one question. So asking costs little when many ask, which is when it matters.
"""

import threading
from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

from api.problems import Unavailable

GATHER_S: Final = 0.02
MOST: Final = 200

# Those of an event's purchases that are on record.
Ask = Callable[[UUID, Collection[UUID]], set[UUID]]


class _Question:
    """A purchase each from many requests, and the answer for all of them."""

    def __init__(self) -> None:
        self.purchases: set[UUID] = set()
        self.answered = threading.Event()
        self.on_record: set[UUID] | None = None


class Census:
    """Asks ``ask`` on behalf of many requests."""

    def __init__(self, ask: Ask, gather: float = GATHER_S) -> None:
        self._ask = ask
        self._gather = gather
        self._open: dict[UUID, _Question] = {}
        self._lock = threading.Lock()

    def is_new(self, event: UUID, purchase: UUID) -> bool:
        """Whether the ledger has surely no purchase of this id; False also where nobody can tell."""
        question, leads = self._join(event, purchase)
        if leads:
            question.answered.wait(self._gather)
            self._close(event, question)
            try:
                question.on_record = self._ask(event, question.purchases)
            except Unavailable:
                question.on_record = None
            finally:
                question.answered.set()
        else:
            question.answered.wait()
        return question.on_record is not None and purchase not in question.on_record

    def _join(self, event: UUID, purchase: UUID) -> tuple[_Question, bool]:
        with self._lock:
            question = self._open.get(event)
            leads = question is None
            if question is None:
                question = self._open[event] = _Question()
            question.purchases.add(purchase)
            if len(question.purchases) >= MOST:
                del self._open[event]
            return question, leads

    def _close(self, event: UUID, question: _Question) -> None:
        with self._lock:
            if self._open.get(event) is question:
                del self._open[event]
