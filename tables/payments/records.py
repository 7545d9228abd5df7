"""The records of the table ``payments``: msgpack arrays that begin with an offset of ``payment-events``.

The index has the unfinished payments: ``UNFINISHED_PREFIX`` and the payment's key.
"""

from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.ids import UUID_BYTES
from tables.payments.transitions import WORK, PaymentState, TaskKind

PAYMENT_MARK: Final = b"p"
UNFINISHED_PREFIX: Final = b"u"
ZERO: Final = Decimal(0)


class Task(Struct, frozen=True, array_like=True):
    """Something that was asked for and has no answer yet; it is asked for again, under the same id, until it has."""

    id: UUID
    kind: TaskKind
    amount: Decimal = ZERO


class PaymentRecord(Struct, frozen=True, array_like=True):
    """A payment after its last event. Amounts are exact, in ``currency``.

    ``due`` is what the hold costs, ``asked`` what the provider was asked to authorize, ``worth`` what the tickets that
    this payment pays for are worth now. ``captured`` and ``refunded`` are totals. ``closed`` is the reference of a
    payment that the provider has closed. ``check_at`` (ms) is when the provider is asked while it is unfinished.
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

    @property
    def balance(self) -> Decimal:
        """What was captured beyond what the tickets are worth: it is to be given back."""
        return self.captured - self.refunded - self.worth

    def confirm_reference(self, purchase: UUID) -> str:
        """The reference by which the ledger knows the payment."""
        return self.reference or str(purchase)

    @property
    def is_finished(self) -> bool:
        """Whether nothing is awaited from anybody but the buyer or the ledger."""
        return self.state not in WORK


class _PaymentHead(Struct, array_like=True):
    offset: int


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
    return ((entry,), None) if decode_payment(value).is_finished else ((), entry)


def key_of_entry(entry: bytes) -> bytes:
    """The payment's key of an entry of the index."""
    return entry[len(UNFINISHED_PREFIX) :]
