"""The first invariant, checked on the balances of outcomes: ``0 ≤ held + sold ≤ quantity``.

After a quantity was lowered, ``held + sold`` may exceed it. So the invariant is broken only if that *grew* beyond the
quantity and the one before.
"""

from collections import OrderedDict
from typing import Final
from uuid import UUID

from api.board.board_text import BoardText, board_text
from api.board.sale import BoardOutcome
from tables.messages.outcomes import Balance

TYPES_MAX: Final = 1_000


class StockBounds:
    """The last balances of the 1,000 ticket types that changed last."""

    def __init__(self) -> None:
        self.checked = 0
        self.broken: BoardText | None = None
        self._last: OrderedDict[UUID, tuple[int, Balance]] = OrderedDict()

    def check(self, outcome: BoardOutcome) -> None:
        """Check an outcome's balances; skip those that are older than the last ones."""
        for balance in outcome.balance:
            as_of, before = self._last.get(balance.ticket_type, (-1, None))
            if outcome.as_of < as_of:
                continue
            self.checked += 1
            if not self.broken and _is_broken(balance, before):
                self.broken = board_text(
                    "ticket type {ticket_type} of event {event}: {held} held and {sold} sold of {quantity}",
                    ticket_type=str(balance.ticket_type),
                    event=str(outcome.event),
                    held=balance.held,
                    sold=balance.sold,
                    quantity=balance.quantity,
                )
            self._last[balance.ticket_type] = (outcome.as_of, balance)
            self._last.move_to_end(balance.ticket_type)
            if len(self._last) > TYPES_MAX:
                self._last.popitem(last=False)


def _is_broken(now: Balance, before: Balance | None) -> bool:
    if now.held < 0 or now.sold < 0:
        return True
    out = now.held + now.sold
    return before is not None and out > max(now.quantity, before.quantity, before.held + before.sold)
