"""The records of ``notification-log``: the result of each mail. They name the account, never its address."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct

from tables.messages.encoding import encode_json, json_decoder
from tables.messages.field_types import Time
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
    at: Time


decode_delivery: Final = json_decoder(Delivery)
encode_delivery: Final[Callable[[Delivery], bytes]] = encode_json
