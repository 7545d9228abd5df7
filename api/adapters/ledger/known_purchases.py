"""Which purchases are known already: those that the ledger has on record, and those that this process has in the log.

Lookups of an event share a call (api/adapters/shared_lookups.py), so that asking costs little when many ask.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Final
from uuid import UUID

from api.adapters.shared_lookups import GATHER_S, LOOKUP_MAX_KEYS, SharedLookups
from api.bounded_cache import BoundedCache
from api.problems import Unavailable
from tables.messages.commands import Buy, Hold

ACCEPTED_MAX_PURCHASES: Final = 20_000
ACCEPTED_FOR_S: Final = 600.0

log = logging.getLogger(__name__)

# Those of an event's purchases that are on record; called in a thread.
Ask = Callable[[UUID, Collection[UUID]], Collection[UUID]]


class KnownPurchases:
    """Asks ``ask`` for many requests of the loop together."""

    def __init__(self, ask: Ask, gather_s: float = GATHER_S, lookup_max: int = LOOKUP_MAX_KEYS) -> None:
        self._ask = ask
        self._lookups: SharedLookups[UUID, UUID, bool] = SharedLookups(self._on_record, gather_s, lookup_max)
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
        return await self._lookups.find(event, purchase) is None

    def _on_record(self, event: UUID, purchases: Collection[UUID]) -> Mapping[UUID, bool]:
        """In a thread: the purchases that are on record, or may be since that could not be asked."""
        try:
            found = self._ask(event, purchases)
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.exception("the purchases on record could not be asked")
            found = purchases
        return dict.fromkeys(found, True)
