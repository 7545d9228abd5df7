"""Checking an input topic for records that never arrived.

Without compaction, offsets are contiguous but for those that the fetcher knows to hold no record: markers of
transactions, aborted records, unreadable ones that became dead letters. Any other gap is a record lost below us, and
ends the process before anything is committed past it.
"""

from collections.abc import Iterable
from typing import Any

from faust.types import TP

from streams.runtime.app import App
from streams.runtime.kafka_types import Message
from tables.errors import InvariantBroken


class GapCheck:
    """Follows the offsets of a topic's partitions."""

    def __init__(self, app: App, topic: str) -> None:
        self._app = app
        self.topic = topic
        self._next: dict[int, int] = {}
        app.inputs.append(self)
        app.on_partitions_assigned.connect(self._forget)

    def next_offset(self, partition: int) -> int | None:
        """The next offset to handle; None where the partition is not read."""
        consumer: Any = self._app.consumer
        tp = TP(self.topic, partition)
        offset = self._next.get(partition, consumer.start_offset(tp))
        return None if offset is None else consumer.next_readable(tp, offset)

    def check(self, partition: int, messages: Iterable[Message]) -> None:
        """Raise InvariantBroken unless each message is the next of the partition, or a repeated one."""
        following = self._next.get(partition)
        for message in messages:
            offset = message.offset
            if following != offset:  # nearly all records follow the one before
                self._check_gap(partition, offset)
            self._next[partition] = following = offset + 1

    def _check_gap(self, partition: int, offset: int) -> None:
        expected = self.next_offset(partition)
        if expected is None or offset > expected:
            raise InvariantBroken(f"{self.topic}[{partition}]: expected offset {expected}, got {offset}")

    async def _forget(self, *_: Any, **__: Any) -> None:
        self._next.clear()
