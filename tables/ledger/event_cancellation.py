"""The cancellation of an event: the ledger ends its purchases in steps, each a command that the step before appends.

A step is carried out once. The event's record says how far its purchases have been ended, which distinguishes a step
that is due from one that is repeated after a crash.
"""

from itertools import islice
from uuid import UUID

from msgspec.structs import replace

from tables.errors import InvariantBroken
from tables.ledger.inventory import Inventory
from tables.ledger.ledger_records import LedgerRecords
from tables.ledger.outcome_builder import CommandResult, DecisionContext, OutcomeBuilder
from tables.ledger.purchase_changes import end_purchase
from tables.ledger.purchase_records import Decision, PurchaseRecord, parts_of
from tables.messages.commands import EndPurchases

# A purchase's key, its record with the decision that ended it, and that decision.
Ended = tuple[bytes, PurchaseRecord, Decision]


class EventCancellation:
    """Carries out the steps on the records of one partition."""

    def __init__(self, records: LedgerRecords, outcomes: OutcomeBuilder) -> None:
        self._records = records
        self._outcomes = outcomes

    def carry_out(self, offset: int, at: int, step: EndPurchases) -> CommandResult:
        """Carry out the step at ``offset``, appended at ``at`` (ms): its outcomes, and the next step if any."""
        inventory = self._records.inventory(step.event)
        if inventory is None:
            return CommandResult()
        due = inventory.offset < offset
        if due and not _is_due(step, inventory):
            return CommandResult()
        chosen = list(islice(self._records.purchases_after(step.event, _id_bytes(step.after), offset), step.most))
        ended = [each for each in (_ended(offset, at, *pair, due=due) for pair in chosen) if each]
        after = UUID(bytes=chosen[-1][0][17:]) if len(chosen) == step.most else None
        self._records.book_step(inventory, offset, ended)
        if due:
            inventory.end(offset, after)
        outcomes = tuple(
            self._outcomes.build(
                DecisionContext(step.event, UUID(bytes=key[17:]), record, decision, record.fingerprint), inventory
            )
            for key, record, decision in ended
        )
        return CommandResult(outcomes, () if after is None else _next_step(replace(step, after=after), inventory))


def first_step(inventory: Inventory, version: int) -> tuple[EndPurchases, ...]:
    """The first step after the definition of ``version``, if that cancelled the event and tickets are out."""
    return _next_step(EndPurchases(inventory.id, version), inventory)


def _is_due(step: EndPurchases, inventory: Inventory) -> bool:
    """Whether a step continues from the event's progress, or from beyond it: the event's record may have been lost."""
    ending = inventory.ending
    if ending is None or ending.done or inventory.version != step.version:
        return False
    return _id_bytes(step.after) >= _id_bytes(ending.after)


def _next_step(step: EndPurchases, inventory: Inventory) -> tuple[EndPurchases, ...]:
    """The step, if it continues exactly from the event's progress and so must be appended to the log."""
    ending = inventory.ending
    if ending is None or ending.done or (inventory.version, ending.after) != (step.version, step.after):
        return ()
    return (step,)


def _ended(offset: int, at: int, key: bytes, record: PurchaseRecord, *, due: bool) -> Ended | None:
    """A purchase with the decision that the step at ``offset`` made, or makes now if it is due; None if it has none."""
    decision = record.decided_at(offset)
    if decision is not None:
        return key, record, decision
    past = record.before(offset) if due else None
    decided = end_purchase(past, offset, at) if past else None
    if decided is None:
        return None
    if record.offset > offset:
        raise InvariantBroken(f"purchase {key.hex()} is at offset {record.offset} but lacks that of {offset}")
    decision, move, _ = parts_of(decided)
    return key, record.and_then(decision, move), decision


def _id_bytes(purchase: UUID | None) -> bytes:
    return purchase.bytes if purchase else b""
