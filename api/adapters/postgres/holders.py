"""How many tickets an account holds over all events, by PostgreSQL, for accounts that hold more than once.

It limits what is sent to the ledger, which decides event by event and has no such rule. Commands under way are not
counted.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from api.adapters.postgres.database import Database
from api.adapters.postgres.purchase_lines import LINES, QUANTITY
from api.bounded_cache import BoundedCache
from api.ports.ledger import Holders
from api.problems import Unavailable

ACCOUNTS_MAX: Final = 100_000
REMEMBERED_S: Final = 3_600.0
RETRY_AFTER_S: Final = 5.0
_HELD: Final = f"""
SELECT coalesce(sum({QUANTITY}), 0)::int AS held
FROM purchase, {LINES}
WHERE account_id = %(account)s AND status = 'held' AND deadline > now()
"""


class HolderRows(Holders):
    """The holds in the projection ``purchase``."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._seen: BoundedCache[UUID, bool] = BoundedCache(ACCOUNTS_MAX, REMEMBERED_S, clock)
        self._failed_at = float("-inf")

    async def held(self, account: UUID) -> int:
        """The tickets that an account holds; 0 at its first hold here within an hour, and if nobody can tell.

        So most buyers cost no query, and sales go on without PostgreSQL.
        """
        is_known = self._seen.get(account)
        self._seen.put(account, True)
        if not is_known or self._clock() - self._failed_at < RETRY_AFTER_S:
            return 0
        try:
            row = await asyncio.to_thread(self._database.one, _HELD, account=account)
        except Unavailable:
            self._failed_at = self._clock()
            return 0
        return int(row["held"]) if row else 0
