"""The records of agents: those that wait in a queue, and those that are being handled."""

from collections import Counter
from collections.abc import Callable, Collection

from mode.utils.queues import ThrowableQueue

from streams.runtime.kafka_types import Message


class RecordQueue(ThrowableQueue[Message]):
    """A queue of messages, filled and emptied by many at once: Faust's makes an event and ten calls for each.

    Its limit only asks for a pause, so that nothing waits while records are put in.
    """

    def put_all(
        self, messages: Collection[Message], on_pressure_high: Callable[[], None], on_pressure_drop: Callable[[], None]
    ) -> None:
        """Add messages; ``on_pressure_high`` is called if they fill the queue, the other when it has room."""
        self._queue.extend(messages)  # type: ignore[attr-defined]
        if self.in_pressure_high_state(on_pressure_drop):
            on_pressure_high()
        self._wakeup_next(self._getters)  # type: ignore[attr-defined]

    def take(self, max_messages: int) -> list[Message]:
        """The next messages; none if the queue is empty."""
        self.maybe_endorse_pressure_drop()
        queue = self._queue  # type: ignore[attr-defined]
        return [queue.popleft() for _ in range(min(max_messages, len(queue)))]


class Interrupted(Exception):
    """The partitions are about to be revoked before a batch could be finished."""


class InFlight:
    """The records that agents are handling; Faust waits for them before it gives partitions up.

    Agents that share a topic share its records: a record is released when its last agent finishes, whether that
    completed it or gave it up. (Faust alone would wait forever for a record that one agent has acknowledged and that
    was then cleared from the queue of another.)
    """

    def __init__(self) -> None:
        self._agents: Counter[Message] = Counter()

    def has(self, topic: str) -> bool:
        """Whether an agent is handling records of this topic."""
        return any(message.topic == topic for message in self._agents)

    def acquire(self, unacked: set[Message], messages: list[Message]) -> None:
        """An agent starts a batch; its first message stands for all."""
        self._agents[messages[0]] += 1
        unacked.add(messages[0])

    def release(self, unacked: set[Message], messages: list[Message]) -> None:
        """An agent has finished a batch, or given it up."""
        first = messages[0]
        self._agents[first] -= 1
        if self._agents[first] <= 0:
            del self._agents[first]
            unacked.discard(first)
