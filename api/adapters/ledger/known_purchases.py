"""Which purchases are known already: those that the ledger has on record, and those that this process has in the log.

Lookups of an event that come within a moment share a call, so that asking costs little when many ask.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

from api.bounded_cache import BoundedCache
from api.problems import Unavailable
from tables.messages.commands import Buy, Hold

ACCEPTED_MAX_PURCHASES: Final = 20_000
ACCEPTED_FOR_S: Final = 600.0
GATHER_S: Final = 0.02
LOOKUP_MAX_PURCHASES: Final = 200
# Half of the loop's threads: purchases that read an event have the others while a worker hangs.
LOOKUPS_MAX: Final = 8
THREAD_WAIT_S: Final = 0.5

log = logging.getLogger(__name__)

# Those of an event's purchases that are on record; called in a thread.
Ask = Callable[[UUID, Collection[UUID]], Collection[UUID]]


class _Lookup:
    """The purchases that requests ask about, and which of them are on record."""

    def __init__(self) -> None:
        self.purchases: set[UUID] = set()
        self.found: asyncio.Future[Collection[UUID]] = asyncio.get_running_loop().create_future()


class KnownPurchases:
    """Asks ``ask`` for many requests of the loop: about all purchases of ``gather_s``, ``lookup_max`` at once."""

    def __init__(self, ask: Ask, gather_s: float = GATHER_S, lookup_max: int = LOOKUP_MAX_PURCHASES) -> None:
        self._ask = ask
        self._gather_s = gather_s
        self._lookup_max = lookup_max
        self._open: dict[UUID, _Lookup] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._threads = asyncio.Semaphore(LOOKUPS_MAX)
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
        return purchase not in await asyncio.shield(lookup.found)

    def _begin(self, event: UUID) -> _Lookup:
        lookup = self._open[event] = _Lookup()
        task = asyncio.create_task(self._answer(event, lookup))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return lookup

    async def _answer(self, event: UUID, lookup: _Lookup) -> None:
        await asyncio.sleep(self._gather_s)
        if self._open.get(event) is lookup:
            del self._open[event]
        lookup.found.set_result(await self._on_record(event, lookup.purchases))

    async def _on_record(self, event: UUID, purchases: Collection[UUID]) -> Collection[UUID]:
        """Those on record; all, since each may be, where no answer comes, or no thread is free in time."""
        try:
            async with asyncio.timeout(THREAD_WAIT_S):
                await self._threads.acquire()
        except TimeoutError:
            return purchases
        try:
            return await asyncio.to_thread(self._ask, event, purchases)
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.exception("the purchases on record could not be asked")
            return purchases
        finally:
            self._threads.release()
