"""What the workers' web views show of the payments. In JSON the fields have camelCase names."""

from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from tables.payments.records import PaymentRecord, RefundOrder, RefundStatus, purchase_of_key
from tables.payments.transitions import PaymentState, TaskKind


class RefundView(Struct, frozen=True, rename="camel"):
    """A refund that somebody ordered: who, when (ms) and why, and how much. ``refusal`` is why it was refused."""

    id: UUID
    by: UUID
    at: int
    reason: str
    amount: Decimal
    status: RefundStatus
    refusal: str | None


class PaymentView(Struct, frozen=True, rename="camel"):
    """The payment of a purchase after the event at ``offset`` of ``payment-events``; times are in ms.

    ``due`` is what the hold costs, ``worth`` what its tickets are worth now; ``captured``, ``refunded`` and ``fee`` are
    totals. ``tasks`` are those that nobody has answered yet. ``checkAt`` is when the provider is asked, or 0.
    """

    event: UUID
    purchase: UUID
    account: UUID
    offset: int
    at: int
    state: PaymentState
    currency: str
    due: Decimal
    worth: Decimal
    authorized: Decimal
    captured: Decimal
    refunded: Decimal
    fee: Decimal
    provider: str
    reference: str
    deadline: int | None
    tasks: list[TaskKind]
    check_at: int
    disputed: bool
    refunds: list[RefundView]

    @property
    def revision(self) -> str:
        """Differs where anything differs."""
        return str(self.offset)


def payment_view(key: bytes, record: PaymentRecord) -> PaymentView:
    """The payment under a key."""
    return PaymentView(
        record.event,
        purchase_of_key(key),
        record.account,
        record.offset,
        record.at,
        record.state,
        record.currency,
        record.due,
        record.worth,
        record.authorized,
        record.captured,
        record.refunded,
        record.fee,
        record.provider,
        record.reference,
        record.deadline,
        [task.kind for task in record.tasks],
        record.check_at,
        record.disputed,
        [_refund_view(order) for order in record.refunds],
    )


def _refund_view(order: RefundOrder) -> RefundView:
    return RefundView(order.id, order.by, order.at, order.reason, order.amount, order.status, order.refusal or None)
