"""The records of ``notification-requests``: requests to send a purchase's mail again."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.errors import MalformedRecord
from tables.messages.decoding import decode_json


class Resend(Struct, frozen=True, rename="camel"):
    """``id`` becomes the mail's id: with a known Message-ID a mailbox may hide it as a duplicate."""

    id: UUID
    event: UUID
    purchase: UUID
    at: datetime


_decoder = msgspec.json.Decoder(Resend)
_encoder = msgspec.json.Encoder()


def decode_resend(value: bytes | None) -> Resend:
    """Decode a record's value. Raises MalformedRecord, which names the invalid field."""
    return decode_json(_decoder, value, MalformedRecord)


def encode_resend(resend: Resend) -> bytes:
    """Encode a request as a record's value."""
    return _encoder.encode(resend)
