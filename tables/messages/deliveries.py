"""The records of ``notification-log``: what became of each mail. They tell the account, never its address."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.errors import MalformedRecord
from tables.messages.decoding import read
from tables.messages.mail_kinds import MailKind


class DeliveryStatus(StrEnum):
    """FAILED: the mail server refused it for ever, or nobody could be found to write to."""

    SENT = "sent"
    FAILED = "failed"


class Delivery(Struct, frozen=True, rename="camel"):
    """What became of one mail at ``at``; ``id`` is the job's. It may be told more than once."""

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
    """The delivery in a record's value. Raises MalformedRecord, which names the wrong field."""
    return read(_decoder, value, MalformedRecord)


def encode_delivery(delivery: Delivery) -> bytes:
    """The record value of a delivery."""
    return _encoder.encode(delivery)
