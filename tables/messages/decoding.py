"""The JSON of records: encoding, and decoding of untrusted values, where every fault becomes a MalformedRecord."""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from tables.errors import MalformedRecord

T = TypeVar("T")
EXCERPT_MAX_BYTES = 80
# The largest value that is decoded. The outcome, job or booking that a record leads to is at most a few kB larger and
# must fit a topic (RECORD_MAX_BYTES in connect/topics.py).
VALUE_MAX_BYTES = 512 * 1024

encode_json: Final = msgspec.json.Encoder().encode


def json_decoder(kind: type[T]) -> Callable[[bytes | None], T]:
    """A function that decodes a record's value. It raises MalformedRecord, which names the invalid field."""
    decoder = msgspec.json.Decoder(kind)
    return lambda value: decode_json(decoder, value, MalformedRecord)


def decode_json(
    decoder: msgspec.json.Decoder[T],
    value: bytes | None,
    malformed: type[MalformedRecord],
    max_bytes: int = VALUE_MAX_BYTES,
) -> T:
    """Decode a record's value. Raises ``malformed``, which names the invalid field."""
    if not value:
        raise malformed("the record has no value")
    if len(value) > max_bytes:
        raise malformed(f"the record has {len(value)} bytes, which is more than {max_bytes}")
    try:
        return decoder.decode(value)
    except msgspec.DecodeError as error:
        raise malformed(str(error)) from error
    except UnicodeDecodeError as error:
        raise malformed(f"a text is not UTF-8: {error.object[:EXCERPT_MAX_BYTES]!r}") from error
    except RecursionError as error:
        raise malformed("the JSON is nested too deep") from error
