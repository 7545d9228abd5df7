"""Headers of records: all that a record has, and those that are forwarded with it."""

from typing import Any, Final

from streams.runtime.kafka_types import Message
from tables.messages.dead_letters import Header
from tables.messages.request_origins import ORIGIN, ORIGIN_MAX_BYTES
from telemetry.traces import TRACEPARENT_HEADER as TRACEPARENT

# When a job was first handled, in ms since 1970, however often it was postponed.
FIRST_SEEN: Final = "first-seen"
# The headers that are forwarded, with the most bytes that ours have. Any others may come from anybody, in any number
# and size.
FORWARDED_MAX_BYTES: Final = {TRACEPARENT: 64, FIRST_SEEN: 64, ORIGIN: ORIGIN_MAX_BYTES}


def headers_of(message: Message) -> list[Header]:
    """A record's headers, whether Faust holds them as a list or a dictionary."""
    headers: Any = message.headers or []
    return list(headers.items()) if isinstance(headers, dict) else list(headers)


def forwarded_headers(message: Message) -> list[Header]:
    """The headers to forward with a record: the last of each known name, where its value is short enough to be ours."""
    if not message.headers:
        return []
    found = dict(headers_of(message))
    known = [(name, found.get(name), most) for name, most in FORWARDED_MAX_BYTES.items()]
    return [(name, value) for name, value, most in known if value is not None and len(value) <= most]


def last_header(message: Message, name: str) -> bytes | None:
    """The value of the last header of that name."""
    # Most records have no headers; a dictionary of either form is the quickest to look into.
    return dict(message.headers).get(name) if message.headers else None


def origin_header(message: Message) -> bytes | None:
    """The header that makes a record part of the answer to a request (tables/messages/request_origins.py)."""
    value = last_header(message, ORIGIN)
    return value if value is not None and len(value) <= ORIGIN_MAX_BYTES else None


def first_seen(message: Message) -> float:
    """When a job was first handled (seconds since 1970), at the latest when this record was written."""
    seen = dict(forwarded_headers(message)).get(FIRST_SEEN)
    if seen is None:
        return message.timestamp
    try:
        return min(message.timestamp, int(seen) / 1000)
    except ValueError:
        return message.timestamp
