"""How far this worker has committed its inputs, and how far their logs go."""

from typing import cast

from faust.types import TP

from streams.runtime.app import App
from streams.runtime.consumer import BatchConsumer


def start_offset(app: App, topic: str, partition: int) -> int | None:
    """Where this worker began to read a partition; None where it is not read."""
    return _consumer(app).start_offset(TP(topic, partition))


def committed_offset(app: App, topic: str, partition: int) -> int | None:
    """The last offset that this worker knows to be committed."""
    return _consumer(app).committed(TP(topic, partition))


def end_offset(app: App, topic: str, partition: int) -> int | None:
    """Where the committed records of a partition end; None before its first fetch."""
    end: int | None = _consumer(app).highwater(TP(topic, partition))
    return end


def next_readable_offset(app: App, topic: str, partition: int, offset: int) -> int:
    """The first offset from ``offset`` on at which a record may be, past markers of transactions and the like."""
    return _consumer(app).next_readable(TP(topic, partition), offset)


def _consumer(app: App) -> BatchConsumer:
    return cast("BatchConsumer", app.consumer)
