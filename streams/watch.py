"""Watching an input topic for records that never arrived.

Offsets of a topic without compaction and transactions are contiguous; a gap means that something below lost
a record. It ends the process before anything is committed over it.
"""

from typing import Any

from faust.types import TP, Message

from streams.app import App
from tables.errors import InvariantBroken


class InputWatch:
    """Follows the offsets of one topic's partitions."""

    def __init__(self, app: App, topic: str) -> None:
        self._app = app
        self.topic = topic
        self._next: dict[int, int] = {}
        app.watched.append(self)
        app.on_partitions_assigned.connect(self._forget)

    def due(self, partition: int) -> int | None:
        """The offset that is to come next, as far as this worker knows."""
        consumer: Any = self._app.consumer
        begins: int | None = consumer.begins(TP(self.topic, partition))
        return self._next.get(partition, begins)

    def expect(self, message: Message) -> None:
        """Raise InvariantBroken unless ``message`` is the next of its partition."""
        due = self.due(message.partition)
        if due is None or message.offset > due:
            raise InvariantBroken(f"{self.topic}[{message.partition}]: offset {due} was due, {message.offset} came")
        self._next[message.partition] = message.offset + 1

    async def _forget(self, *_: Any, **__: Any) -> None:
        self._next.clear()
