"""The records of ``notification-requests``: somebody wants a purchase's mail once more."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.errors import MalformedRecord
from tables.messages.decoding import read


class Resend(Struct, frozen=True, rename="camel"):
    """``id`` becomes the mail's: a new Message-ID, since a mailbox may hide what it believes to have already."""

    id: UUID
    event: UUID
    purchase: UUID
    at: datetime


_decoder = msgspec.json.Decoder(Resend)
_encoder = msgspec.json.Encoder()


def decode_resend(value: bytes | None) -> Resend:
    """The request in a record's value. Raises MalformedRecord, which names the wrong field."""
    return read(_decoder, value, MalformedRecord)


def encode_resend(resend: Resend) -> bytes:
    """The record value of a request."""
    return _encoder.encode(resend)
