"""The records of ``notification-requests``: requests to send a purchase's mail again."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from msgspec import Struct

from tables.messages.decoding import encode_json, json_decoder
from tables.messages.field_types import Time


class Resend(Struct, frozen=True, rename="camel"):
    """``id`` becomes the mail's id: with a known Message-ID a mailbox may hide it as a duplicate."""

    id: UUID
    event: UUID
    purchase: UUID
    at: Time


decode_resend: Final = json_decoder(Resend)
encode_resend: Final[Callable[[Resend], bytes]] = encode_json
