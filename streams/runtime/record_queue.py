"""An agent's queue, filled and emptied by many records at once: Faust's makes an event and ten calls for each."""

from collections.abc import Callable, Collection

from mode.utils.queues import ThrowableQueue

from streams.runtime.kafka_types import Message


class RecordQueue(ThrowableQueue[Message]):
    """A queue of messages. Its limit only asks for a pause, so that nothing waits while records are put in."""

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
