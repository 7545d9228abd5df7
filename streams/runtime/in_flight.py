"""The records that agents are handling, and how they give them up."""

from collections import Counter

from streams.runtime.kafka_types import Message


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
