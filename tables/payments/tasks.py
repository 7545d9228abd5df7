"""Tasks as the records that carry them out: requests to the provider, commands to the ledger."""

from typing import Final
from uuid import UUID

from tables.messages.commands import Cancel, Confirm, ExtendHold
from tables.messages.encoding import from_milliseconds
from tables.messages.payment_requests import PaymentRequest, PaymentRequestKind, cancel_request, confirm_request
from tables.payments.records import PaymentRecord, Task
from tables.payments.transitions import TaskKind

COMMAND_TASKS: Final = frozenset({TaskKind.EXTEND, TaskKind.CONFIRM, TaskKind.CANCEL})
# What a hold is lengthened by when its payment starts; the ledger does it once.
EXTENSION_S: Final = 600


def command_of(record: PaymentRecord, purchase: UUID, task: Task) -> ExtendHold | Confirm | Cancel:
    """The command of a task of COMMAND_TASKS."""
    if task.kind is TaskKind.EXTEND:
        return ExtendHold(record.event, purchase, EXTENSION_S)
    if task.kind is TaskKind.CONFIRM:
        request, reference = confirm_request(purchase), record.confirm_reference(purchase)
        return Confirm(record.event, purchase, record.account, request, payment=reference)
    return Cancel(record.event, purchase, record.account, cancel_request(purchase))


def payment_request_of(record: PaymentRecord, purchase: UUID, task: Task) -> PaymentRequest:
    """The request of any other task."""
    return PaymentRequest(
        id=task.id,
        kind=PaymentRequestKind(task.kind.value),
        event=record.event,
        purchase=purchase,
        account=record.account,
        provider=record.provider,
        amount=task.amount,
        currency=record.currency,
        reference=record.reference,
        deadline=None if record.deadline is None else from_milliseconds(record.deadline),
    )
