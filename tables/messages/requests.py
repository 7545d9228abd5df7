"""The requests of other producers on ``ticket-requests.<producer>``: purchase, hold, confirm, cancel and exchange.

The value is that of the command (tables/messages/commands.py), except that a hold's ``seconds`` may be left out. The
record's key is the event's id. A command that only Turnstile itself may write raises ForbiddenRequest.
"""

from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from tables.errors import ForbiddenRequest, MalformedRecord
from tables.ids import id_bytes
from tables.messages.commands import (
    COMMAND_MAX_BYTES,
    HOLD_MAX_S,
    REQUEST_REQUIRED,
    Buy,
    Cancel,
    Confirm,
    Exchange,
    TicketLine,
)
from tables.messages.encoding import decode_json

FORBIDDEN_KINDS: Final = frozenset(
    {"define-event", "define-section", "end-purchases", "expire", "extend-hold", "limit-holds"}
)


class HoldRequest(Struct, frozen=True, tag_field="kind", tag="hold", rename="camel", omit_defaults=True):
    """Hold all lines or nothing; without ``seconds`` for the operator's time (``TURNSTILE_HOLD_SECONDS``)."""

    event: UUID
    purchase: UUID
    account: UUID
    lines: Annotated[list[TicketLine], Meta(min_length=1, max_length=50)]
    seconds: Annotated[int, Meta(ge=1, le=HOLD_MAX_S)] | None = None


class _AnyRequest(Struct, frozen=True):
    kind: str


Request = Buy | HoldRequest | Confirm | Cancel | Exchange

_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_kind_decoder = msgspec.json.Decoder(_AnyRequest)


def decode_request(key: bytes | None, value: bytes | None) -> Request:
    """Decode a record. Raises MalformedRecord, which names the invalid field, or ForbiddenRequest."""
    request = decode_value(value)
    if key != id_bytes(request.event):
        raise MalformedRecord("Expected the event's id as the record's key - at `$key`")
    if isinstance(request, Cancel) and not request.is_repeatable:
        raise MalformedRecord(REQUEST_REQUIRED)
    return request


def decode_value(value: bytes | None) -> Request:
    """Decode a record's value. Raises as decode_request does."""
    try:
        return decode_json(_decoder, value, MalformedRecord, COMMAND_MAX_BYTES)
    except MalformedRecord:
        _check_kind(value)
        raise


def _check_kind(value: bytes | None) -> None:
    try:
        kind = decode_json(_kind_decoder, value, MalformedRecord, COMMAND_MAX_BYTES).kind
    except MalformedRecord:
        return
    if kind in FORBIDDEN_KINDS:
        raise ForbiddenRequest(f"A producer may not write `{kind}` - at `$.kind`")
