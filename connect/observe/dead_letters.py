"""The dead-letter topics: reading their open letters, and resolving them."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from aiokafka.errors import MessageSizeTooLargeError
from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError

from connect.client_options import ClientOptions
from connect.observe.dead_letter import DeadLetter, Fate, decode_fate, decode_letter, encode_fate
from connect.records.appending import Appender
from connect.records.consumer import make_consumer
from connect.topics import CONSUMERS, all_topics, dead_letters
from tables.messages.dead_letters import DeadLetterInfo

READ_TIMEOUT_S: Final = 30.0
POLL_MS: Final = 500
CONNECT_TIMEOUT_MS: Final = 5_000
COMPACTED_TOPICS: Final = frozenset(topic.name for topic in all_topics() if topic.config["cleanup.policy"] == "compact")


class DeadLetterTopics:
    """The dead-letter topics of a Kafka cluster."""

    def __init__(self, kafka: ClientOptions) -> None:
        self._kafka = kafka

    def read(self, consumer: str, *, content: bool = True) -> list[DeadLetter]:
        """All dead letters of a consumer, oldest first; without ``content``, keys, values and headers are dropped."""
        found: dict[tuple[int, int], DeadLetter] = {}
        fates: dict[tuple[int, int], Fate] = {}
        for record in self._records(dead_letters(consumer), None, 0):
            resolved = decode_fate(record)
            if resolved is None:
                letter = decode_letter(consumer, record)
                kept = letter if content else replace(letter, key=None, value=None, headers=())
                found[record.partition, record.offset] = kept
            else:
                fate, offset = resolved
                fates[record.partition, offset] = fate
        letters = [replace(letter, fate=fates.get(position)) for position, letter in found.items()]
        return sorted(letters, key=lambda letter: letter.at)

    def open(self) -> dict[str, int]:
        """The number of open dead letters of each consumer."""
        return {name: sum(letter.fate is None for letter in self.read(name, content=False)) for name in CONSUMERS}

    def replay(self, letters: Iterable[DeadLetter]) -> Iterator[tuple[DeadLetter, Fate]]:
        """Append each record unchanged to the topic and partition that it came from.

        A row that has changed since is not replayed: it would replace the newer one in a compacted topic. Raises
        ValueError for a letter with an obstacle or too large for its topic, and what Appender raises.
        """
        producer = Appender(self._kafka)
        try:
            for letter in letters:
                yield letter, self._replay(producer, letter)
        finally:
            producer.close()

    def discard(self, letters: Iterable[DeadLetter]) -> Iterator[tuple[DeadLetter, Fate]]:
        """Mark letters as resolved without a replay. Raises what Appender raises."""
        producer = Appender(self._kafka)
        try:
            for letter in letters:
                yield letter, _resolve(producer, letter, Fate.DISCARDED)
        finally:
            producer.close()

    def _replay(self, producer: Appender, letter: DeadLetter) -> Fate:
        if letter.info is None or letter.obstacle:
            raise ValueError(f"{letter.id} can't be replayed: {letter.obstacle}")
        origin = letter.info.origin
        if origin.topic in COMPACTED_TOPICS and self._changed_since(letter.key, letter.info):
            return _resolve(producer, letter, Fate.SUPERSEDED)
        try:
            producer.append(origin.topic, origin.partition, letter.key, letter.value, letter.headers)
        except MessageSizeTooLargeError as error:
            raise ValueError(f"{letter.id} is too large for {origin.topic} without its compression") from error
        return _resolve(producer, letter, Fate.REPLAYED)

    def _changed_since(self, key: bytes | None, info: DeadLetterInfo) -> bool:
        origin = info.origin
        return any(record.key == key for record in self._records(origin.topic, origin.partition, origin.offset + 1))

    def _records(self, topic: str, partition: int | None, start: int) -> Iterator[Any]:
        """The records of a topic, or of one partition of it from an offset on, up to its current end.

        Raises KafkaTimeoutError if nothing arrives for READ_TIMEOUT_S.
        """
        consumer = make_consumer(self._kafka, bootstrap_timeout_ms=CONNECT_TIMEOUT_MS)
        try:
            numbers = [partition] if partition is not None else sorted(consumer.partitions_for_topic(topic) or ())
            partitions = [TopicPartition(topic, number) for number in numbers]
            begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
            consumer.assign(partitions)
            for each in partitions:
                consumer.seek(each, max(start, begins[each]))
            last = time.monotonic()
            while any(consumer.position(each) < ends[each] for each in partitions):
                for batch in consumer.poll(timeout_ms=POLL_MS).values():
                    last = time.monotonic()
                    yield from batch
                if time.monotonic() - last > READ_TIMEOUT_S:
                    raise KafkaTimeoutError(f"nothing more of {topic} within {READ_TIMEOUT_S:g} s")
        finally:
            consumer.close()


def _resolve(producer: Appender, letter: DeadLetter, fate: Fate) -> Fate:
    producer.append(dead_letters(letter.consumer), letter.partition, letter.key, None, encode_fate(letter, fate))
    return fate
