"""Where and when a record is, and how log lines name it: ``topic[partition]@offset``, and the key where it is an id."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

from streams.runtime.kafka_types import Message
from streams.runtime.tracing import traceparent_header

ID_CHARACTERS: Final = 36
# Where the trace id is in a traceparent.
TRACE: Final = slice(3, 35)

_batch: Final[ContextVar[tuple[str, list[Message]] | None]] = ContextVar("batch", default=None)


def set_batch(agent: str, messages: list[Message]) -> None:
    """Note the records that an agent handles, for the calling task and those that it starts."""
    _batch.set((agent, messages))


def batch_fields() -> Mapping[str, object]:
    """The fields that each log line of a batch has."""
    batch = _batch.get()
    if batch is None:
        return {}
    agent, messages = batch
    first, last = messages[0], messages[-1]
    place = f"{record_name(first)}" if first is last else f"{record_name(first)} to {record_name(last)}"
    return {"agent": agent, "records": place}


def record_name(message: Message) -> str:
    """The place of a record: ``topic[partition]@offset``."""
    return f"{message.topic}[{message.partition}]@{message.offset}"


def timestamp_ms(message: Message) -> int:
    """A record's timestamp as the log has it, in ms since 1970; Faust has seconds."""
    return round(message.timestamp * 1000)


def log_fields(message: Message, **more: object) -> dict[str, Any]:
    """The fields of a log line about one record."""
    trace = traceparent_header(message)[TRACE] if message.headers else ""
    return {"record": record_name(message), "key": shown_key(message.key), "trace": trace or None, **more}


def shown_key(key: object) -> str | None:
    """The key, if it is an id. Anything else may be personal data, and is not logged."""
    text = key.decode("ascii", "replace") if isinstance(key, bytes) else str(key)
    try:
        return str(UUID(text)) if len(text) == ID_CHARACTERS else None
    except ValueError:
        return None
