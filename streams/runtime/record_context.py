"""Naming records in the log: ``topic[partition]@offset``, and the key where it is an id."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

from faust.types import Message

from streams.runtime.tracing import carried_by

ID: Final = 36
TRACE: Final = slice(3, 35)

_batch: Final[ContextVar[tuple[str, list[Message]] | None]] = ContextVar("batch", default=None)


def take_up(agent: str, messages: list[Message]) -> None:
    """An agent is at work on these records, in the task that calls and those that it starts."""
    _batch.set((agent, messages))


def under_work() -> Mapping[str, object]:
    """What a line of the log tells of the batch under work."""
    batch = _batch.get()
    if batch is None:
        return {}
    agent, messages = batch
    first, last = messages[0], messages[-1]
    place = f"{place_of(first)}" if first is last else f"{place_of(first)} to {place_of(last)}"
    return {"agent": agent, "records": place}


def place_of(message: Message) -> str:
    """Where a record stands."""
    return f"{message.topic}[{message.partition}]@{message.offset}"


def about(message: Message, **more: object) -> dict[str, Any]:
    """What a line of the log tells of a record."""
    trace = carried_by(message)[TRACE] if message.headers else ""
    return {"record": place_of(message), "key": key_of(message.key), "trace": trace or None, **more}


def key_of(key: object) -> str | None:
    """A key that is an id; anything else somebody may have put there is not told."""
    text = key.decode("ascii", "replace") if isinstance(key, bytes) else str(key)
    try:
        return str(UUID(text)) if len(text) == ID else None
    except ValueError:
        return None
