"""The records of answers, and where a request came from."""

from collections.abc import Iterable
from uuid import UUID

from connect.topics import REQUESTS_PREFIX, answers
from streams.runtime.app import App
from streams.runtime.headers import last_header
from streams.runtime.kafka_types import Message, Record
from streams.runtime.produce import append
from streams.runtime.record_context import timestamp_ms
from tables.messages.answers import KEY_MAX_BYTES, REQUEST
from tables.messages.request_origins import CORRELATION_ID, CORRELATION_ID_MAX_BYTES, RequestOrigin

# An answer, and the request that it belongs to.
Reply = tuple[RequestOrigin, Record]


def origin_of(message: Message, purchase: UUID | None = None) -> RequestOrigin:
    """Where a request is, with as much of its correlation id as an answer repeats."""
    found = last_header(message, CORRELATION_ID)
    correlation_id = None if found is None else found[:CORRELATION_ID_MAX_BYTES]
    place = message.topic, message.partition, message.offset
    return RequestOrigin(*place, timestamp_ms(message), purchase, correlation_id)


def reply(origin: RequestOrigin, key: bytes | None, answer: bytes) -> Reply:
    """The answer to a request, with the request's key."""
    place = (REQUEST, str(origin).encode())
    given = () if origin.correlation_id is None else ((CORRELATION_ID, origin.correlation_id),)
    return origin, Record(key and key[:KEY_MAX_BYTES], answer, (*given, place))


async def send_replies(app: App, replies: Iterable[Reply]) -> None:
    """Append answers, each to its request's partition number; returns once they are stored."""
    by_place: dict[tuple[str, int], list[Record]] = {}
    for origin, record in replies:
        by_place.setdefault((origin.topic, origin.partition), []).append(record)
    for (topic, partition), records in by_place.items():
        await append(app, answers(topic.removeprefix(REQUESTS_PREFIX)), partition, records)
