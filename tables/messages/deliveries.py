"""The records of ``notification-log``: the result of each mail. They name the account, never its address."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.errors import MalformedRecord
from tables.messages.decoding import decode_json
from tables.messages.mail_kinds import MailKind


class DeliveryStatus(StrEnum):
    """FAILED: the mail server rejected it permanently, or the account has no contact."""

    SENT = "sent"
    FAILED = "failed"


class Delivery(Struct, frozen=True, rename="camel"):
    """The result of one mail at ``at``; ``id`` is the job's. It may occur more than once."""

    id: UUID
    kind: MailKind
    status: DeliveryStatus
    event: UUID
    purchase: UUID
    account: UUID
    at: datetime


_decoder = msgspec.json.Decoder(Delivery)
_encoder = msgspec.json.Encoder()


def decode_delivery(value: bytes | None) -> Delivery:
    """Decode a record's value. Raises MalformedRecord, which names the invalid field."""
    return decode_json(_decoder, value, MalformedRecord)


def encode_delivery(delivery: Delivery) -> bytes:
    """Encode a delivery as a record's value."""
    return _encoder.encode(delivery)
