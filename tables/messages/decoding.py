"""Reading JSON that anyone may have written: whatever is wrong with it becomes a MalformedRecord."""

from typing import TypeVar

import msgspec

from tables.errors import MalformedRecord

T = TypeVar("T")
SHOWN = 80
# The largest value that is read. What follows from one record, be it outcome, job or booking, has its bytes and some
# thousand more at most, and must fit a topic (RECORD_MAX_BYTES in connect/topics.py).
VALUE_MAX_BYTES = 512 * 1024


def read(decoder: msgspec.json.Decoder[T], value: bytes | None, malformed: type[MalformedRecord]) -> T:
    """What ``decoder`` makes of a record's value. Raises ``malformed``, which names the wrong field."""
    if not value:
        raise malformed("the record has no value")
    if len(value) > VALUE_MAX_BYTES:
        raise malformed(f"the record has {len(value)} bytes, which is more than {VALUE_MAX_BYTES}")
    try:
        return decoder.decode(value)
    except msgspec.DecodeError as error:
        raise malformed(str(error)) from error
    except UnicodeDecodeError as error:
        raise malformed(f"a text is not UTF-8: {error.object[:SHOWN]!r}") from error
    except RecursionError as error:
        raise malformed("the JSON is nested too deep") from error
