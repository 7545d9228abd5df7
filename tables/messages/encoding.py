"""The encoding of messages and records: times in milliseconds, JSON.

Every fault of an untrusted value becomes a MalformedRecord.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, TypeVar

import msgspec

from tables.errors import MalformedRecord

T = TypeVar("T")
# The range of datetime. Rounding to milliseconds can lead out of it.
DATETIME_MIN_MS: Final = -62_135_596_800_000
DATETIME_MAX_MS: Final = 253_402_300_799_999
EXCERPT_MAX_BYTES = 80
# Whole numbers that are written as floats have at most so many digits before the point, and are looked for in values of
# at most so many bytes: it takes ten times as long.
WHOLE_MAX_DIGITS: Final = 18
WHOLE_MAX_BYTES: Final = 64 * 1024
# The largest value that is decoded. The outcome, job or booking that a record leads to is at most a few kB larger and
# must fit a topic (RECORD_MAX_BYTES in connect/topics.py).
VALUE_MAX_BYTES = 512 * 1024

encode_json: Final = msgspec.json.Encoder().encode


def to_milliseconds(time: datetime) -> int:
    """A time as milliseconds since 1970 UTC."""
    return round(time.timestamp() * 1000)


# The commands of one produced batch have the same timestamp.
@lru_cache(maxsize=1_024)
def from_milliseconds(milliseconds: int) -> datetime:
    """Milliseconds since 1970 as a datetime in UTC, clamped to the years 1 to 9999."""
    return datetime.fromtimestamp(min(max(milliseconds, DATETIME_MIN_MS), DATETIME_MAX_MS) / 1000, UTC)


def _decoded(decoder: msgspec.json.Decoder[T], value: bytes) -> T:
    """The decoded value. A whole number may be written as 1.0 or 1e2: to JSON Schema it is an integer."""
    try:
        return decoder.decode(value)
    except msgspec.ValidationError as error:
        if "got `float`" not in str(error) or len(value) > WHOLE_MAX_BYTES:
            raise
        with suppress(msgspec.DecodeError, ArithmeticError):
            return msgspec.convert(_numbers.decode(value), decoder.type, strict=decoder.strict)
        raise


def _number(literal: str) -> int | Decimal:
    number = Decimal(literal)
    is_whole = number.adjusted() < WHOLE_MAX_DIGITS and number == int(number)
    return int(number) if is_whole else number


_numbers: Final = msgspec.json.Decoder(float_hook=_number)


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
        return _decoded(decoder, value)
    except msgspec.DecodeError as error:
        raise malformed(str(error)) from error
    except UnicodeDecodeError as error:
        raise malformed(f"a text is not UTF-8: {error.object[:EXCERPT_MAX_BYTES]!r}") from error
    except RecursionError as error:
        raise malformed("the JSON is nested too deep") from error
