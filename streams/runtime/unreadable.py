"""Records that the fetcher can't read become dead letters of every agent that reads their topic."""

from collections.abc import Sequence

from faust.types import TP

from connect.records.fetching import SkippedOffsets
from connect.topics import CONSUMERS
from streams.runtime.agents import Interrupted
from streams.runtime.app import App
from streams.runtime.failures import dead_letter_record
from streams.runtime.kafka_types import Record
from streams.runtime.produce import send_to_dead_letters
from tables.messages.dead_letters import Origin


class UnreadableRecords:
    """Stores dead letters of what the consumer can't read, before it delivers what follows."""

    def __init__(self, app: App) -> None:
        self.app = app
        app.isolate = self.isolate

    async def isolate(self, tp: TP, skips: Sequence[SkippedOffsets]) -> bool:
        """Store dead letters, however long brokers are unavailable. False where a rebalance begins before that."""
        dead_letters = [_letter(tp, skip, skip.error) for skip in skips if skip.error is not None]
        try:
            for consumer in self.consumers(tp.topic):
                await send_to_dead_letters(self.app, consumer, dead_letters)
            for answer in self.app.on_unreadable:
                await answer(tp, skips)
        except Interrupted:
            return False
        self.app.counters.unreadable[tp.topic] += sum(skip.last + 1 - skip.offset for skip in skips)
        return True

    def consumers(self, topic: str) -> list[str]:
        """The agents that read a topic and have dead letters."""
        agents = [name for name, agent in self.app.agents.items() if topic in agent.channel.topics]
        # The gate has an agent for each producer, named gate.<producer>.
        return [name for name in (agent.partition(".")[0] for agent in agents) if name in CONSUMERS]


def _letter(tp: TP, skip: SkippedOffsets, error: Exception) -> Record:
    """A dead letter with the bytes of the log, as compressed as they are."""
    return dead_letter_record(Origin(tp.topic, tp.partition, skip.offset, skip.last), error, Record(None, skip.raw))
