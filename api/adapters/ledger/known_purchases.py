"""Which purchases are known already: those that the ledger has on record, and those that this process has in the log.

Lookups of an event within 20 ms share one call (at most 200 ids), so that asking costs little when many ask.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

from api.bounded_cache import BoundedCache
from api.problems import Unavailable
from tables.messages.commands import Buy, Hold

GATHER_S: Final = 0.02
LOOKUP_MAX_PURCHASES: Final = 200
ACCEPTED_MAX_PURCHASES: Final = 20_000
ACCEPTED_FOR_S: Final = 600.0

log = logging.getLogger(__name__)

# Those of an event's purchases that are on record; called in a thread.
Ask = Callable[[UUID, Collection[UUID]], set[UUID]]


class _RecordLookup:
    """Purchases of many requests, and which of them are on record; None if that could not be asked."""

    def __init__(self) -> None:
        self.purchases: set[UUID] = set()
        self.on_record: asyncio.Future[set[UUID] | None] = asyncio.get_running_loop().create_future()


class KnownPurchases:
    """Asks ``ask`` for many requests of the loop together."""

    def __init__(self, ask: Ask, gather_s: float = GATHER_S, lookup_max: int = LOOKUP_MAX_PURCHASES) -> None:
        self._ask = ask
        self._gather_s = gather_s
        self._lookup_max = lookup_max
        self._open: dict[UUID, _RecordLookup] = {}
        self._asking: set[asyncio.Task[None]] = set()
        # Bytes, since the garbage collector visits every UUID that is kept.
        self._accepted: BoundedCache[bytes, bytes] = BoundedCache(ACCEPTED_MAX_PURCHASES, ACCEPTED_FOR_S)

    def accept(self, command: Buy | Hold) -> None:
        """Note that the command is in the log and undecided."""
        self._accepted.put(command.event.bytes + command.purchase.bytes, command.account.bytes)

    def accepted(self, event: UUID, purchase: UUID) -> UUID | None:
        """In any thread: the account whose purchase this process lately noted as accepted."""
        account = self._accepted.get(event.bytes + purchase.bytes)
        return None if account is None else UUID(bytes=account)

    async def is_new(self, event: UUID, purchase: UUID) -> bool:
        """Whether there is surely no purchase of this id; False also if nobody can tell."""
        if self.accepted(event, purchase) is not None:
            return False
        lookup = self._open.get(event) or self._begin(event)
        lookup.purchases.add(purchase)
        if len(lookup.purchases) >= self._lookup_max:
            del self._open[event]
        on_record = await asyncio.shield(lookup.on_record)
        return on_record is not None and purchase not in on_record

    def _begin(self, event: UUID) -> _RecordLookup:
        lookup = self._open[event] = _RecordLookup()
        task = asyncio.create_task(self._answer(event, lookup))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return lookup

    async def _answer(self, event: UUID, lookup: _RecordLookup) -> None:
        await asyncio.sleep(self._gather_s)
        if self._open.get(event) is lookup:
            del self._open[event]
        try:
            lookup.on_record.set_result(await asyncio.to_thread(self._ask, event, lookup.purchases))
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.exception("the purchases on record could not be asked")
            lookup.on_record.set_result(None)
