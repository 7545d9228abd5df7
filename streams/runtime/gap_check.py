"""Watching an input topic for records that never arrived.

Offsets of a topic without compaction are contiguous but for those of which the fetcher knows that they hold no record
(markers of transactions, aborted records, what was set aside as unreadable). Any other gap means that something below
lost a record. It ends the process before anything is committed over it.
"""

from typing import Any

from faust.types import TP, Message

from streams.runtime.app import App
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
        place = TP(self.topic, partition)
        due = self._next.get(partition, consumer.begins(place))
        return None if due is None else consumer.behind(place, due)

    def expect(self, message: Message) -> None:
        """Raise InvariantBroken unless ``message`` is the next of its partition."""
        due = self.due(message.partition)
        if due is None or message.offset > due:
            raise InvariantBroken(f"{self.topic}[{message.partition}]: offset {due} was due, {message.offset} came")
        self._next[message.partition] = message.offset + 1

    async def _forget(self, *_: Any, **__: Any) -> None:
        self._next.clear()
