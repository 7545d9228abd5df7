"""Mutants of the worker of payments. Each imports what it changes: no process has everything."""

from typing import Any, Final
from uuid import UUID, uuid4

from lab.chaos.mutants.patching import patch

EXTENSION_S: Final = 6


def confirm_first() -> None:
    """The money is taken before the ledger has confirmed, and a refusal gives nothing back."""
    from msgspec.structs import replace

    from tables.payments import payment, transitions
    from tables.payments.transitions import WORK, PaymentState, Signal, Step, TaskKind

    paid = Step(PaymentState.CONFIRMING, (TaskKind.CONFIRM, TaskKind.CAPTURE))
    rows = {(state, Signal.AUTHORIZED): paid for state in (PaymentState.AUTHORIZING, PaymentState.DECLINED)}
    rows[PaymentState.CONFIRMING, Signal.CONFIRMED] = Step(PaymentState.CAPTURING)
    rows |= {
        (PaymentState.CONFIRMING, signal): Step(PaymentState.ENDED) for signal in (Signal.REFUSED, Signal.REFUSED_PAID)
    }
    patch(transitions, "TRANSITIONS", transitions.TRANSITIONS | rows)
    work = WORK[PaymentState.CONFIRMING] | {TaskKind.CAPTURE}
    patch(payment, "WORK", WORK | {PaymentState.CONFIRMING: work})
    make = payment._task

    def task(record: Any, purchase: UUID, kind: TaskKind, offset: int) -> Any:
        made = make(record, purchase, kind, offset)
        return replace(made, amount=record.asked) if kind is TaskKind.CAPTURE and made else made

    patch(payment, "_task", task)


def refund_ids() -> None:
    """A refund is sent twice, as a repeat may be, and each time under another id."""
    from providers.pipelined import PipelinedClient

    call = PipelinedClient.call

    async def twice(client: PipelinedClient, method: str, path: str, body: Any = None, **headers: str) -> Any:
        if path.endswith("/refund"):
            await call(client, method, path, body, **headers | {"Idempotency-Key": str(uuid4())})
        return await call(client, method, path, body, **headers)

    patch(PipelinedClient, "call", twice)


def payment_checks() -> None:
    """The provider is never asked about a payment, and nothing is sent again."""
    from streams.payments.checks import PaymentChecks

    async def check(*_: object) -> None:
        return

    patch(PaymentChecks, "check", check)


def short_extension() -> None:
    """No mechanism is missing: a hold is lengthened by so little that it may end while its payment is under way."""
    from tables.payments import tasks

    patch(tasks, "EXTENSION_S", EXTENSION_S)
