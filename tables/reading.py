"""Reading JSON that anyone may have written: whatever is wrong with it becomes a MalformedRecord."""

from typing import TypeVar

import msgspec

from tables.errors import MalformedRecord

T = TypeVar("T")
SHOWN = 80


def read(decoder: msgspec.json.Decoder[T], value: bytes | None, malformed: type[MalformedRecord]) -> T:
    """What ``decoder`` makes of a record's value. Raises ``malformed``, which names the wrong field."""
    if not value:
        raise malformed("the record has no value")
    try:
        return decoder.decode(value)
    except msgspec.DecodeError as error:
        raise malformed(str(error)) from error
    except UnicodeDecodeError as error:
        raise malformed(f"a text is not UTF-8: {error.object[:SHOWN]!r}") from error
    except RecursionError as error:
        raise malformed("the JSON is nested too deep") from error
