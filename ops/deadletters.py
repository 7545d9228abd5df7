"""Dead letters from outside: what stands on ``dlq.<consumer>``, and the way back.

A letter that was dealt with is followed by a mark on its own partition, so the topic alone says what is open.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from connect.topics import CONSUMERS, catalogue, dead_letters

# What streams/deadletters.py adds to a record's own headers.
ORIGIN: Final = frozenset({"dlq-topic", "dlq-partition", "dlq-offset", "dlq-error"})
MARK: Final = "dlq-done"
WAIT_S: Final = 30.0
POLL_MS: Final = 500
CONNECT_MS: Final = 5_000
COMPACTED: Final = frozenset(topic.name for topic in catalogue() if topic.config["cleanup.policy"] == "compact")


class Fate(StrEnum):
    """What was done with a letter. SUPERSEDED: its row changed since, so there is nothing to be made good."""

    REPLAYED = "replayed"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: the record as it was, where it came from and why it could not be used there."""

    consumer: str
    partition: int
    offset: int
    at: datetime
    topic: str
    origin: tuple[int, int]
    error: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    fate: Fate | None = None

    @property
    def id(self) -> str:
        """How the letter is named: consumer, partition and offset on its dead-letter topic."""
        return f"{self.consumer}:{self.partition}:{self.offset}"


class DeadLetters:
    """The dead-letter topics of one Kafka."""

    def __init__(self, servers: str) -> None:
        self._servers = servers.split(",")

    def read(self, consumer: str) -> list[Letter]:
        """All letters of a consumer, the oldest first."""
        found: dict[tuple[int, int], Letter] = {}
        fates: dict[tuple[int, int], Fate] = {}
        for record in self._records(dead_letters(consumer), None, 0):
            mark = dict(record.headers or ()).get(MARK)
            if mark is None:
                found[record.partition, record.offset] = _letter(consumer, record)
            else:
                fate, _, offset = mark.decode().partition(" ")
                fates[record.partition, int(offset)] = Fate(fate)
        letters = [replace(letter, fate=fates.get(place)) for place, letter in found.items()]
        return sorted(letters, key=lambda letter: letter.at)

    def open(self) -> dict[str, int]:
        """How many letters of each consumer nobody has dealt with: the gauge."""
        return {name: sum(letter.fate is None for letter in self.read(name)) for name in CONSUMERS}

    def replay(self, letters: Iterable[Letter]) -> Iterator[tuple[Letter, Fate]]:
        """Append each record where it came from, as it was: its consumer gets it once more, by its usual way.

        A row that changed since is not put behind its own future, where a compaction would keep it.
        """
        producer = self._producer()
        try:
            for letter in letters:
                if letter.topic in COMPACTED and self._changed_since(letter):
                    yield letter, self._mark(producer, letter, Fate.SUPERSEDED)
                    continue
                headers = [header for header in letter.headers if header[0] not in ORIGIN]
                _send(producer, letter.topic, letter.origin[0], letter.key, letter.value, headers)
                yield letter, self._mark(producer, letter, Fate.REPLAYED)
        finally:
            producer.close()

    def discard(self, letters: Iterable[Letter]) -> Iterator[tuple[Letter, Fate]]:
        """Mark letters as dealt with."""
        producer = self._producer()
        try:
            for letter in letters:
                yield letter, self._mark(producer, letter, Fate.DISCARDED)
        finally:
            producer.close()

    def _changed_since(self, letter: Letter) -> bool:
        partition, offset = letter.origin
        return any(record.key == letter.key for record in self._records(letter.topic, partition, offset + 1))

    def _mark(self, producer: Any, letter: Letter, fate: Fate) -> Fate:
        mark = f"{fate} {letter.offset}".encode()
        _send(producer, dead_letters(letter.consumer), letter.partition, letter.key, None, [(MARK, mark)])
        return fate

    def _records(self, topic: str, partition: int | None, start: int) -> Iterator[Any]:
        """The records of a topic, or of one partition of it from an offset on, up to where it ends now."""
        consumer = KafkaConsumer(
            bootstrap_servers=self._servers, enable_auto_commit=False, bootstrap_timeout_ms=CONNECT_MS
        )
        try:
            numbers = [partition] if partition is not None else sorted(consumer.partitions_for_topic(topic) or ())
            places = [TopicPartition(topic, number) for number in numbers]
            begins, ends = consumer.beginning_offsets(places), consumer.end_offsets(places)
            consumer.assign(places)
            for place in places:
                consumer.seek(place, max(start, begins[place]))
            while any(consumer.position(place) < ends[place] for place in places):
                for batch in consumer.poll(timeout_ms=POLL_MS).values():
                    yield from batch
        finally:
            consumer.close()

    def _producer(self) -> Any:
        return KafkaProducer(bootstrap_servers=self._servers, acks="all", max_request_size=2 * 2**20)


def _send(producer: Any, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Any) -> None:
    producer.send(topic, partition=partition, key=key, value=value, headers=headers).get(WAIT_S)


def _letter(consumer: str, record: Any) -> Letter:
    headers = tuple((name, value or b"") for name, value in record.headers or ())
    said = {name: value.decode(errors="replace") for name, value in headers if name in ORIGIN}
    return Letter(
        consumer=consumer,
        partition=record.partition,
        offset=record.offset,
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        topic=said.get("dlq-topic", ""),
        origin=(int(said.get("dlq-partition", -1)), int(said.get("dlq-offset", -1))),
        error=said.get("dlq-error", ""),
        key=record.key,
        value=record.value,
        headers=headers,
    )
