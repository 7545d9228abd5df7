"""What the fetcher can't read becomes a dead letter of every agent that would have got it, before anything goes on."""

from collections.abc import Sequence

from faust.types import TP

from connect.records.fetching import SkippedOffsets
from connect.topics import CONSUMERS
from streams.runtime.app import App
from streams.runtime.batching import Interrupted
from streams.runtime.dead_letters import bury, dead_letter
from streams.runtime.produce import Record
from tables.messages.dead_letters import Origin


class UnreadableRecords:
    """Sets aside what the consumer found to be unreadable."""

    def __init__(self, app: App) -> None:
        self.app = app
        app.isolate = self.isolate

    async def isolate(self, tp: TP, skips: Sequence[SkippedOffsets]) -> bool:
        """Store dead letters, however long the brokers are away. False where a rebalance begins before that."""
        letters = [_letter(tp, skip, skip.error) for skip in skips if skip.error is not None]
        try:
            for consumer in self.consumers(tp.topic):
                await bury(self.app, consumer, letters)
        except Interrupted:
            return False
        self.app.figures.unreadable[tp.topic] += sum(skip.last + 1 - skip.offset for skip in skips)
        return True

    def consumers(self, topic: str) -> list[str]:
        """Whose dead letters tell of a topic's records."""
        agents = [name for name, agent in self.app.agents.items() if topic in agent.channel.topics]
        return [name for name in agents if name in CONSUMERS]


def _letter(tp: TP, skip: SkippedOffsets, error: Exception) -> Record:
    """The bytes as they lie in the log, compressed as they are."""
    return dead_letter(Origin(tp.topic, tp.partition, skip.offset, skip.last), error, Record(None, skip.raw))
