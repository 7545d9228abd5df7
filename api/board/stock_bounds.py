"""The first promise, checked on every balance that an outcome tells: ``0 ≤ held + sold ≤ quantity``.

A lowered quantity may leave more out than there is. So it is broken only where what is out *grew* beyond both the
quantity and the one before.
"""

from collections import OrderedDict
from typing import Final
from uuid import UUID

from api.board.sale import Told
from tables.messages.outcomes import Balance

KEPT: Final = 1_000


class Bounds:
    """What was told last of the KEPT ticket types that changed last."""

    def __init__(self) -> None:
        self.checked = 0
        self.broken = ""
        self._last: OrderedDict[UUID, tuple[int, Balance]] = OrderedDict()

    def check(self, told: Told) -> None:
        """Look at an outcome's balances; older ones than were seen already are left out."""
        for balance in told.balance:
            as_of, before = self._last.get(balance.ticket_type, (-1, None))
            if told.as_of < as_of:
                continue
            self.checked += 1
            if not self.broken and _is_broken(balance, before):
                self.broken = (
                    f"ticket type {balance.ticket_type} of event {told.event}: {balance.held} held and "
                    f"{balance.sold} sold of {balance.quantity}"
                )
            self._last[balance.ticket_type] = (told.as_of, balance)
            self._last.move_to_end(balance.ticket_type)
            if len(self._last) > KEPT:
                self._last.popitem(last=False)


def _is_broken(now: Balance, before: Balance | None) -> bool:
    if now.held < 0 or now.sold < 0:
        return True
    out = now.held + now.sold
    return before is not None and out > max(now.quantity, before.quantity, before.held + before.sold)
