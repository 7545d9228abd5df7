"""The tickets of one account within one event, while the ledger works on them."""

from typing import Final
from uuid import UUID

from tables.errors import InvariantBroken
from tables.ledger.purchase_records import Decision
from tables.ledger.records import NOTHING_HELD, AccountRecord, Holding, encode_record
from tables.messages.commands import COOLDOWN_MAX_S
from tables.messages.outcomes import OutcomeKind

# The ticket types of which an account gave back or lost a hold are remembered for the longest cooldown, and at most as
# many as the largest order has lines.
LET_GO_KEPT_MS: Final = COOLDOWN_MAX_S * 1000
LET_GO_MAX_TYPES: Final = 50


class AccountTickets:
    """The working copy of an account's record within one event."""

    __slots__ = ("counts", "holding", "key", "offset")

    def __init__(self, key: bytes, record: AccountRecord | None) -> None:
        self.key = key
        self.offset = record.offset if record else -1
        self.counts = dict(record.counts) if record else {}
        self.holding = record.holding if record else None

    def apply(self, decision: Decision) -> None:
        """Add a decision's tickets, or take them away.

        A type that drops to 0 is removed at once: the record's bytes must not depend on where batches end.
        """
        sign = decision.held + decision.sold
        for line in decision.lines:
            count = self.counts.get(line.ticket_type, 0) + sign * line.quantity
            if count < 0:
                raise InvariantBroken(f"account {self.key.hex()} would have {count} of ticket type {line.ticket_type}")
            if count:
                self.counts[line.ticket_type] = count
            else:
                self.counts.pop(line.ticket_type, None)
        self.offset = decision.offset

    def count_hold(self, decision: Decision, made_at: int) -> None:
        """Count the tickets that a decision holds or no longer holds; its purchase was made at offset ``made_at``."""
        before = self.holding or NOTHING_HELD
        let_go = before.let_go
        if decision.held < 0 and decision.kind is not OutcomeKind.CONFIRMED:
            let_go = _let_go(let_go, decision)
        held, since = before.held, before.since
        # A hold that was made before holds were counted is not subtracted either.
        if decision.held > 0 or (held and made_at >= since):
            since = since if held else decision.offset
            held += decision.held * sum([line.quantity for line in decision.lines])
        if held < 0:
            raise InvariantBroken(f"account {self.key.hex()} would hold {held} tickets")
        self.holding = Holding(held, since if held else 0, let_go) if held or let_go else None

    def record(self) -> bytes:
        """The encoded record."""
        return encode_record(AccountRecord(self.offset, list(self.counts.items()), self.holding))


def _let_go(before: list[tuple[UUID, int]], decision: Decision) -> list[tuple[UUID, int]]:
    """The types that the account let go of last, with times (ms): the decision's, and those kept from before."""
    latest = {line.ticket_type: decision.at for line in decision.lines}
    kept = [(key, at) for key, at in before if key not in latest and at > decision.at - LET_GO_KEPT_MS]
    return [*kept, *latest.items()][-LET_GO_MAX_TYPES:]
