"""The header that a request's command and its outcome carry, so that the outcome becomes the request's answer."""

from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

# The name of the header on ``ticket-commands`` and ``ticket-purchase``.
ORIGIN: Final = "ticket-request"
CORRELATION_ID: Final = "correlation-id"
CORRELATION_ID_MAX_BYTES: Final = 256
# With a topic's name of 249 characters and the longest correlation id.
ORIGIN_MAX_BYTES: Final = 1_024


class RequestOrigin(Struct, frozen=True, array_like=True):
    """Where a request is, when it was appended (ms), and what its answer repeats.

    ``purchase`` is the id by which the producer knows the purchase.
    """

    topic: str
    partition: Annotated[int, Meta(ge=0)]
    offset: Annotated[int, Meta(ge=0)]
    at_ms: int
    purchase: UUID | None = None
    correlation_id: bytes | None = None

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


encode_origin = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(RequestOrigin)


def decode_origin(header: bytes) -> RequestOrigin | None:
    """The origin in a header; None for one that is not ours."""
    try:
        return _decoder.decode(header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
