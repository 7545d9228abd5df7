"""Headers of records: all that a record has, and those that go on with it when it is forwarded."""

from typing import Any, Final

from faust.types import Message

from tables.messages.dead_letters import Header
from telemetry.traces import TRACEPARENT_HEADER as TRACEPARENT

# When a job came first, in ms since 1970, however often it was put back.
FIRST_SEEN: Final = "first-seen"
# What goes on with a forwarded record. Anybody may have written the others, as many and as large as they like.
CARRIED: Final = (TRACEPARENT, FIRST_SEEN)
CARRIED_MAX_BYTES: Final = 64


def headers_of(message: Message) -> list[Header]:
    """A record's headers, whichever way Faust holds them."""
    headers: Any = message.headers or []
    return list(headers.items()) if isinstance(headers, dict) else list(headers)


def carried_headers(message: Message) -> list[Header]:
    """The headers of a record that is forwarded: of each that we know the last one, unless that can't be ours."""
    if not message.headers:
        return []
    found = dict(headers_of(message))
    known = [(name, found.get(name)) for name in CARRIED]
    return [(name, value) for name, value in known if value is not None and len(value) <= CARRIED_MAX_BYTES]


def first_seen(message: Message) -> float:
    """When a job came first (seconds since 1970); never after the record that brings it again."""
    seen = dict(carried_headers(message)).get(FIRST_SEEN)
    if seen is None:
        return message.timestamp
    try:
        return min(message.timestamp, int(seen) / 1000)
    except ValueError:
        return message.timestamp
