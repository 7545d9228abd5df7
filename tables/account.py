"""An account's counts within one event, while the ledger works on them."""

from tables.errors import InvariantBroken
from tables.records import AccountRecord, Decision, encode_record


class Account:
    """The working copy of an account's record within one event."""

    __slots__ = ("counts", "key", "offset")

    def __init__(self, key: bytes, record: AccountRecord | None) -> None:
        self.key = key
        self.offset = record.offset if record else -1
        self.counts = dict(record.counts) if record else {}

    def apply(self, decision: Decision) -> None:
        """Book what a decision gives to the account or takes from it.

        A type that it has no more of goes at once: the record's bytes must not tell where batches ended.
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

    def record(self) -> bytes:
        """The account's record as the table keeps it."""
        return encode_record(AccountRecord(self.offset, list(self.counts.items())))
