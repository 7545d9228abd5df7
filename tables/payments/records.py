"""The records of the table ``payments``: msgpack arrays that begin with an offset of ``payment-events``.

The index has the unfinished payments: ``UNFINISHED_PREFIX`` and the payment's key.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.ids import UUID_BYTES
from tables.payments.transitions import WORK, PaymentState, TaskKind

PAYMENT_MARK: Final = b"p"
UNFINISHED_PREFIX: Final = b"u"
ZERO: Final = Decimal(0)
CLOSED_MAX: Final = 16
# More than what could be refunded.
TOO_LARGE: Final = "refund-too-large"


class Task(Struct, frozen=True, array_like=True):
    """Something that was asked for and has no answer yet; it is asked for again, under the same id, until it has."""

    id: UUID
    kind: TaskKind
    amount: Decimal = ZERO


class RefundStatus(StrEnum):
    """ORDERED: the ledger has not given the tickets back yet. REFUSED: ``refusal`` says why."""

    ORDERED = "ordered"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class RefundOrder(Struct, frozen=True, array_like=True):
    """A refund that somebody with the right to do so ordered: who, when (ms) and why, and how much goes back.

    ``refusal`` is TOO_LARGE, or the ledger's reason not to give the tickets back. ``goodwill`` is whether it is of an
    amount, and the tickets are kept; an earlier version did not store that.
    """

    id: UUID
    by: UUID
    at: int
    reason: str
    amount: Decimal
    status: RefundStatus
    refusal: str = ""
    goodwill: bool | None = None


class PaymentRecord(Struct, frozen=True, array_like=True):
    """A payment after its last event. Amounts are exact, in ``currency``.

    ``due`` is what the hold costs, ``asked`` what the provider was asked to authorize, ``worth`` what the tickets that
    this payment pays for are worth now. ``captured`` and ``refunded`` are totals. ``closed`` is the reference of the
    payment that the provider has closed last, ``closed_before`` has those of up to CLOSED_MAX before it: the buyer may
    try again. ``check_at`` (ms) is when the provider is asked while it is unfinished. ``goodwill`` is what was ordered
    to go back for tickets that are kept, ``fee`` the provider's.
    """

    offset: int
    state: PaymentState
    event: UUID
    account: UUID
    currency: str
    due: Decimal
    ledger_offset: int
    at: int
    deadline: int | None = None
    provider: str = ""
    reference: str = ""
    url: str = ""
    asked: Decimal = ZERO
    worth: Decimal = ZERO
    authorized: Decimal = ZERO
    captured: Decimal = ZERO
    refunded: Decimal = ZERO
    closed: str = ""
    tasks: tuple[Task, ...] = ()
    checks: int = 0
    check_at: int = 0
    detail: str = ""
    disputed: bool = False
    goodwill: Decimal = ZERO
    refunds: tuple[RefundOrder, ...] = ()
    fee: Decimal = ZERO
    closed_before: tuple[str, ...] = ()

    @property
    def all_closed(self) -> tuple[str, ...]:
        """The references of the payments that the provider has closed, the last one last."""
        return (*self.closed_before, self.closed) if self.closed else self.closed_before

    @property
    def balance(self) -> Decimal:
        """What was captured beyond the worth of the tickets, less goodwill: it is to be given back."""
        return self.captured - self.refunded - max(ZERO, self.worth - self.goodwill)

    @property
    def refundable(self) -> Decimal:
        """What is left of the money for tickets that were sold, without the refunds under way."""
        if self.state not in (PaymentState.CAPTURED, PaymentState.REFUNDING):
            return ZERO
        return self.captured - self.refunded - self.refunding

    @property
    def refunding(self) -> Decimal:
        """What the provider was asked to give back, without an answer yet."""
        return sum([task.amount for task in self.tasks if task.kind is TaskKind.REFUND], ZERO)

    def confirm_reference(self, purchase: UUID) -> str:
        """The reference by which the ledger knows the payment."""
        return self.reference or str(purchase)

    @property
    def is_passing(self) -> bool:
        """Whether only the provider is awaited, which mostly answers within a moment."""
        is_opening = self.state is PaymentState.AUTHORIZING and not self.url
        return is_opening or self.state is PaymentState.CAPTURING

    @property
    def is_finished(self) -> bool:
        """Whether nothing is awaited from anybody but the buyer or the ledger."""
        return self.state not in WORK


class _PaymentHead(Struct, array_like=True):
    offset: int
    state: PaymentState


encode_payment: Final = msgspec.msgpack.Encoder(uuid_format="bytes").encode
decode_payment: Final = msgspec.msgpack.Decoder(PaymentRecord).decode
_decode_head: Final = msgspec.msgpack.Decoder(_PaymentHead).decode


def payment_offset(value: bytes) -> int:
    """The offset of the event that last changed a record."""
    return _decode_head(value).offset


def payment_key(event: UUID, purchase: UUID) -> bytes:
    """The key of a purchase's payment. Only event and purchase together identify a purchase."""
    return PAYMENT_MARK + event.bytes + purchase.bytes


def purchase_of_key(key: bytes) -> UUID:
    """The purchase of a payment's key."""
    return UUID(bytes=key[-UUID_BYTES:])


def index_change(key: bytes, value: bytes) -> tuple[tuple[bytes, ...], bytes | None]:
    """The change that storing a record makes to the index: the entries removed, the entry added."""
    entry = UNFINISHED_PREFIX + key
    return ((), entry) if _decode_head(value).state in WORK else ((entry,), None)


def key_of_entry(entry: bytes) -> bytes:
    """The payment's key of an entry of the index."""
    return entry[len(UNFINISHED_PREFIX) :]
