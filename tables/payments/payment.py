"""Applying an event to a payment: the record afterwards, and what is to be done.

Pure: time is the event's record's own, and what is to be done follows from the record. So the same log always gives
the same payments and the same requests, and a replay asks again for what has no answer yet.
"""

from typing import Final, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from tables.errors import MalformedRecord
from tables.messages.encoding import to_milliseconds
from tables.messages.payment_events import LEDGER_KINDS, PaymentEvent, PaymentEventKind
from tables.messages.payment_requests import payment_request_id
from tables.payments.records import ZERO, PaymentRecord, Task
from tables.payments.signals import check_event, is_outdated, signal_of, with_amounts
from tables.payments.transitions import WORK, PaymentState, Signal, TaskKind, step_after

# The pauses between two questions to the provider double while it says nothing new.
CHECK_FIRST_MS: Final = 5_000
CHECK_MAX_MS: Final = 600_000
# A hold that ends sooner is lengthened: a check comes in time, whatever its pause.
EXTEND_WITHIN_MS: Final = CHECK_MAX_MS + 60_000
# The tasks that an event answers without ending the state.
_ANSWERED: Final = {
    PaymentEventKind.OPENED: TaskKind.AUTHORIZE,
    PaymentEventKind.HELD: TaskKind.EXTEND,
    PaymentEventKind.REFUNDED: TaskKind.REFUND,
}
# What tells of a payment that is not voided.
_PAYABLE: Final = frozenset({PaymentEventKind.OPENED, PaymentEventKind.DECLINED, PaymentEventKind.AUTHORIZED})


class Applied(NamedTuple):
    """The record after an event, and what is to be done now."""

    record: PaymentRecord
    tasks: tuple[Task, ...] = ()


def apply(record: PaymentRecord | None, purchase: UUID, event: PaymentEvent, offset: int, at: int) -> Applied:
    """The payment of ``purchase`` after the event at ``offset``, appended at ``at`` (ms).

    An event that the record knows changes nothing, and what has no answer is to be done again. One that tells nothing
    new leaves the record as it is, with its offset. Raises MalformedRecord for an event without a payment, or about
    another one.
    """
    if record is None:
        record = _held(event, offset, at)
        if event.kind is PaymentEventKind.HELD:
            return Applied(record)
    elif offset <= record.offset:
        return Applied(record, record.tasks)
    if is_outdated(record, event):
        return Applied(record)
    check_event(record, event)
    known = record
    if event.kind in LEDGER_KINDS:
        if event.ledger_offset <= record.ledger_offset:
            # A hold that is told again may be the answer to an extension: to ask for that again would never end.
            is_hold = event.kind is PaymentEventKind.HELD
            return Applied(record) if is_hold else Applied(replace(record, offset=offset), record.tasks)
        known = replace(record, ledger_offset=event.ledger_offset)
    known = with_amounts(_told(known, event), event)
    # First, since a refund is what is left to give back beyond those without an answer.
    after = _after(_without_answered(known, event), purchase, _signal(record, known, event), offset, at)
    is_check = event.kind is PaymentEventKind.CHECKED
    if after == record and not is_check:
        return Applied(record)
    new = after.tasks if is_check else tuple([task for task in after.tasks if task not in record.tasks])
    return Applied(_scheduled(after, record, is_check=is_check, offset=offset, at=at), new)


def _held(event: PaymentEvent, offset: int, at: int) -> PaymentRecord:
    """The payment of a hold, which the API may tell with its start."""
    is_start = event.kind is PaymentEventKind.STARTED and event.account is not None
    if event.kind is not PaymentEventKind.HELD and not is_start:
        raise MalformedRecord("there is no payment of this purchase - at `$.purchase`")
    if event.account is None or event.amount is None or event.currency is None:
        raise MalformedRecord("a hold has an account, an amount and a currency")
    return PaymentRecord(
        offset=offset,
        state=PaymentState.DUE,
        event=event.event,
        account=event.account,
        currency=event.currency,
        due=event.amount,
        ledger_offset=event.ledger_offset,
        at=at,
        deadline=None if event.deadline is None else to_milliseconds(event.deadline),
    )


def _told(record: PaymentRecord, event: PaymentEvent) -> PaymentRecord:
    """The record with what an event tells besides amounts."""
    if event.kind is PaymentEventKind.STARTED and record.state is PaymentState.DUE:
        record = replace(record, provider=event.provider or "", reference="", url="", asked=record.due)
    elif event.reference and event.kind not in LEDGER_KINDS and not _is_voided_before(record, event):
        record = replace(record, reference=event.reference)
    if event.deadline is not None and event.kind in LEDGER_KINDS:
        record = replace(record, deadline=to_milliseconds(event.deadline))
    return replace(
        record,
        url=event.url or record.url,
        detail=event.detail or record.detail,
        fee=max(record.fee, event.fee or ZERO),
        disputed=record.disputed or event.kind is PaymentEventKind.DISPUTED,
    )


def _signal(before: PaymentRecord, record: PaymentRecord, event: PaymentEvent) -> Signal | None:
    """The signal of an event. A void that was asked for without a reference may not have met the payment that is told.

    With one it has, and what it is answered, such as that the payment can't be voided yet, waits for the next check.
    """
    if before.state is PaymentState.VOIDING and event.kind in _PAYABLE:
        return None if before.reference else Signal.OPENED
    return signal_of(record, event)


def _is_voided_before(record: PaymentRecord, event: PaymentEvent) -> bool:
    """Whether it was voided when the buyer tried again: the payment that he made then may still get its reference."""
    return event.kind is PaymentEventKind.VOIDED and event.reference in record.all_closed


def _after(record: PaymentRecord, purchase: UUID, signal: Signal | None, offset: int, at: int) -> PaymentRecord:
    if signal is None:
        return record
    step = step_after(record.state, signal)
    # Another void takes the place of one that may have met another payment.
    given_up = {TaskKind.VOID}.intersection(step.tasks)
    kept = tuple([task for task in record.tasks if task.kind in WORK.get(step.state, ()) and task.kind not in given_up])
    record = replace(record, state=step.state, tasks=kept)
    due = [kind for kind in step.tasks if kind is not TaskKind.EXTEND or _must_be_extended(record, at)]
    made = [_task(record, purchase, kind, offset) for kind in due]
    return replace(record, tasks=(*kept, *(task for task in made if task is not None)))


def _must_be_extended(record: PaymentRecord, at: int) -> bool:
    """Whether the hold ends soon; most buyers have paid long before. The ledger lengthens it once, however asked."""
    is_asked = any(task.kind is TaskKind.EXTEND for task in record.tasks)
    return not is_asked and (record.deadline is None or record.deadline - at < EXTEND_WITHIN_MS)


def _task(record: PaymentRecord, purchase: UUID, kind: TaskKind, offset: int) -> Task | None:
    """A task; None for a refund where those under way give everything back."""
    amount = {TaskKind.AUTHORIZE: record.asked, TaskKind.CAPTURE: record.worth}.get(kind, ZERO)
    if kind is TaskKind.REFUND:
        amount = record.balance - record.refunding
        if amount <= 0:
            return None
    return Task(payment_request_id(purchase, offset, kind), kind, amount)


def _without_answered(record: PaymentRecord, event: PaymentEvent) -> PaymentRecord:
    """Without the tasks that an event answers. What a state still waits for goes with the state.

    Which of several refunds a total covers is told by their requests alone: one whose answer was lost is asked for
    again, under its id, and answered again. A hold with a request is of an exchange, and answers nothing of ours.
    """
    kind = _ANSWERED.get(event.kind)
    any_request = event.request is None and kind is not TaskKind.REFUND
    left = [task for task in record.tasks if task.kind is not kind or not (any_request or task.id == event.request)]
    return replace(record, tasks=tuple(left))


def _scheduled(after: PaymentRecord, before: PaymentRecord, *, is_check: bool, offset: int, at: int) -> PaymentRecord:
    """The record with the time of its next check: soon after a change of state, then at growing pauses."""
    after = replace(after, offset=offset, at=at)
    if after.state is not before.state:
        return replace(after, checks=0, check_at=at + CHECK_FIRST_MS)
    if not is_check:
        return after
    pause_ms = min(CHECK_FIRST_MS << min(after.checks + 1, 16), CHECK_MAX_MS)
    return replace(after, checks=after.checks + 1, check_at=at + pause_ms)
