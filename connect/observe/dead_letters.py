"""The dead-letter topics: reading what is open, and resolving them."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace

from aiokafka.errors import MessageSizeTooLargeError

from connect.client_options import ClientOptions
from connect.observe.dead_letter import DeadLetter, Fate, decode_dead_letter, decode_fate, encode_fate
from connect.records.appending import Appender
from connect.records.consumer import read_topic
from connect.topics import COMPACTED_TOPICS, CONSUMERS, dead_letters
from tables.messages.dead_letters import DeadLetterInfo


class DeadLetterTopics:
    """The dead-letter topics of a Kafka cluster."""

    def __init__(self, kafka: ClientOptions) -> None:
        self._kafka = kafka

    def read(self, consumer: str, *, content: bool = True) -> list[DeadLetter]:
        """All dead letters of a consumer, oldest first; without ``content``, keys, values and headers are dropped."""
        found: dict[tuple[int, int], DeadLetter] = {}
        fates: dict[tuple[int, int], Fate] = {}
        for record in read_topic(self._kafka, dead_letters(consumer)):
            resolved = decode_fate(record)
            if resolved is None:
                dead_letter = decode_dead_letter(consumer, record)
                kept = dead_letter if content else replace(dead_letter, key=None, value=None, headers=())
                found[record.partition, record.offset] = kept
            else:
                fate, offset = resolved
                fates[record.partition, offset] = fate
        known = [replace(each, fate=fates.get(position)) for position, each in found.items()]
        return sorted(known, key=lambda each: each.at)

    def open(self) -> dict[str, int]:
        """The number of open dead letters of each consumer."""
        return {name: sum(each.fate is None for each in self.read(name, content=False)) for name in CONSUMERS}

    def replay(self, chosen: Iterable[DeadLetter]) -> Iterator[tuple[DeadLetter, Fate]]:
        """Append each record unchanged to the topic and partition that it came from.

        A row that has changed since is not replayed: it would replace the newer one in a compacted topic. Raises
        ValueError for a dead letter with an obstacle or too large for its topic, and what Appender raises.
        """
        with closing(Appender(self._kafka)) as producer:
            for each in chosen:
                yield each, self._replay(producer, each)

    def discard(self, chosen: Iterable[DeadLetter]) -> Iterator[tuple[DeadLetter, Fate]]:
        """Mark dead letters as resolved without a replay. Raises what Appender raises."""
        with closing(Appender(self._kafka)) as producer:
            for each in chosen:
                yield each, _resolve(producer, each, Fate.DISCARDED)

    def _replay(self, producer: Appender, dead_letter: DeadLetter) -> Fate:
        if dead_letter.info is None or dead_letter.obstacle:
            raise ValueError(f"{dead_letter.id} can't be replayed: {dead_letter.obstacle}")
        origin = dead_letter.info.origin
        if origin.topic in COMPACTED_TOPICS and self._changed_since(dead_letter.key, dead_letter.info):
            return _resolve(producer, dead_letter, Fate.SUPERSEDED)
        try:
            producer.append(origin.topic, origin.partition, dead_letter.key, dead_letter.value, dead_letter.headers)
        except MessageSizeTooLargeError as error:
            raise ValueError(f"{dead_letter.id} is too large for {origin.topic} without its compression") from error
        return _resolve(producer, dead_letter, Fate.REPLAYED)

    def _changed_since(self, key: bytes | None, info: DeadLetterInfo) -> bool:
        origin = info.origin
        later = read_topic(self._kafka, origin.topic, origin.partition, origin.offset + 1)
        return any(record.key == key for record in later)


def _resolve(producer: Appender, dead_letter: DeadLetter, fate: Fate) -> Fate:
    topic, headers = dead_letters(dead_letter.consumer), encode_fate(dead_letter, fate)
    producer.append(topic, dead_letter.partition, dead_letter.key, None, headers)
    return fate
