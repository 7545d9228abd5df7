"""The records of ``ticket-purchases``: the newest state of each purchase as a flat row, for sinks of Kafka Connect.

A value has its schema inside, as Connect's JsonConverter reads it. Ticket codes are left out: who has one gets in.
"""

from collections.abc import Callable
from decimal import Decimal
from types import NoneType
from typing import Annotated, Any, Final, get_args, get_type_hints
from uuid import UUID

from msgspec import Meta, Struct

from tables.messages.encoding import encode_json, to_milliseconds
from tables.messages.outcomes import STATE_KINDS, Outcome, OutcomeLine
from tables.messages.reasons import Reason
from tables.messages.statuses import PurchaseStatus

TOTAL_SCALE: Final = 4
Total = Annotated[bytes, Meta(description="Connect's Decimal: ten thousandths of the currency, in two's complement.")]
Milliseconds = Annotated[int, Meta(description="Milliseconds since 1970 UTC.")]
LinesText = Annotated[str, Meta(description="JSON: ticketTypeId, quantity and price of each ticket type.")]


class PurchaseColumns(Struct, frozen=True, kw_only=True):
    """A purchase after the decision at ``ledger_offset``, its offset in a partition of ``ticket-commands``.

    ``tickets``, ``total`` and ``lines`` are what it has; after a rejection, an expiry or the cancel of everything, what
    it asked for or had. ``updated_at`` is the time of the decision.
    """

    event_id: UUID
    purchase_id: UUID
    account_id: UUID
    status: PurchaseStatus
    reason: Reason | None
    tickets: int
    total: Total
    currency: str | None
    lines: LinesText
    deadline: Milliseconds | None
    ledger_offset: int
    updated_at: Milliseconds


class ConnectParameters(Struct, frozen=True):
    """The parameters of a Decimal: its decimal places."""

    scale: str


class ConnectField(Struct, frozen=True, omit_defaults=True):
    """A field of a schema of Kafka Connect; ``name`` is that of a logical type."""

    field: str
    type: str
    optional: bool
    name: str = ""
    version: int = 0
    parameters: ConnectParameters | None = None


class ConnectSchema(Struct, frozen=True):
    """A schema of Kafka Connect."""

    type: str
    name: str
    optional: bool
    fields: tuple[ConnectField, ...]


class PurchaseUpsert(Struct, frozen=True):
    """A row with its schema, which is the same in every record of a version."""

    schema: ConnectSchema
    payload: PurchaseColumns


_LOGICAL: Final = "org.apache.kafka.connect.data"
_TEXT: Final[dict[str, Any]] = {"type": "string"}
_DECIMAL: Final = ConnectParameters(str(TOTAL_SCALE))
# The columns of any other type are texts.
_CONNECT_TYPES: Final[dict[Any, dict[str, Any]]] = {
    int: {"type": "int64"},
    Milliseconds: {"type": "int64", "name": f"{_LOGICAL}.Timestamp", "version": 1},
    Total: {"type": "bytes", "name": f"{_LOGICAL}.Decimal", "version": 1, "parameters": _DECIMAL},
}


def _connect_field(name: str, kind: Any) -> ConnectField:
    optional = NoneType in get_args(kind)
    return ConnectField(name, optional=optional, **_CONNECT_TYPES.get(get_args(kind)[0] if optional else kind, _TEXT))


_COLUMNS: Final = get_type_hints(PurchaseColumns, include_extras=True)
SCHEMA: Final = ConnectSchema(
    "struct", "turnstile.purchase", False, tuple(_connect_field(name, kind) for name, kind in _COLUMNS.items())
)

encode_upsert: Final[Callable[[PurchaseUpsert], bytes]] = encode_json


def upsert_of(outcome: Outcome) -> PurchaseUpsert | None:
    """The row after an outcome that ``decode_checked_outcome`` has read; None if it tells no new state of a purchase.

    A repeated outcome is an earlier state: the state after it was told when it was decided.
    """
    if outcome.kind not in STATE_KINDS or outcome.repeated:
        return None
    if outcome.purchase is None or outcome.account is None or outcome.status is None:
        return None
    lines = outcome.left or outcome.lines
    columns = PurchaseColumns(
        event_id=outcome.event,
        purchase_id=outcome.purchase,
        account_id=outcome.account,
        status=outcome.status,
        reason=outcome.reason,
        tickets=sum(line.quantity for line in lines),
        total=_unscaled(sum((line.price * line.quantity for line in lines), Decimal(0))),
        currency=outcome.total.currency if outcome.total else None,
        lines=_lines_text(lines),
        deadline=None if outcome.deadline is None else to_milliseconds(outcome.deadline),
        ledger_offset=outcome.offset,
        updated_at=to_milliseconds(outcome.at),
    )
    return PurchaseUpsert(SCHEMA, columns)


def upsert_key(columns: PurchaseColumns) -> bytes:
    """The key of the record: the event's and the purchase's id with a dot between."""
    return f"{columns.event_id}.{columns.purchase_id}".encode()


def _unscaled(amount: Decimal) -> bytes:
    number = int(amount.scaleb(TOTAL_SCALE).to_integral_value())
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)


def _lines_text(lines: tuple[OutcomeLine, ...]) -> str:
    """Without names, so that a row is hardly larger than its outcome, whatever characters these have."""
    told = [{"ticketTypeId": line.ticket_type, "quantity": line.quantity, "price": line.price} for line in lines]
    return encode_json(told).decode()
