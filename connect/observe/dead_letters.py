"""Dead letters from outside: what stands on ``dlq.<consumer>``, and the way back.

A letter that was dealt with is followed by a mark on its own partition, so the topic alone says what is open. Anybody
may have written to the topic: what is neither a letter nor a mark is an odd letter, which can be discarded.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from aiokafka.errors import MessageSizeTooLargeError
from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError

from connect.records.appending import Appender
from connect.records.consumer import make_consumer
from connect.topics import CONSUMERS, catalogue, dead_letters, inputs
from tables.messages.dead_letters import DeadLetterInfo, Header, decode_info

MARK: Final = "dlq-done"
WAIT_S: Final = 30.0
POLL_MS: Final = 500
CONNECT_MS: Final = 5_000
COMPACTED: Final = frozenset(topic.name for topic in catalogue() if topic.config["cleanup.policy"] == "compact")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The last moment that a datetime can tell.
LAST_MS: Final = int(datetime.max.replace(tzinfo=UTC).timestamp() * 1000) - 1000


class Fate(StrEnum):
    """What was done with a letter. SUPERSEDED: its row changed since, so there is nothing to be made good."""

    REPLAYED = "replayed"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: the record as it was, and what we said of it; ``ours`` is None for an odd one."""

    consumer: str
    partition: int
    offset: int
    at: datetime
    ours: DeadLetterInfo | None
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[Header, ...] = ()
    fate: Fate | None = None

    @property
    def id(self) -> str:
        """How the letter is named: consumer, partition and offset on its dead-letter topic."""
        return f"{self.consumer}:{self.partition}:{self.offset}"

    @property
    def record(self) -> str:
        """Where the record stands, or an odd letter itself."""
        return str(self.ours.origin) if self.ours else f"{dead_letters(self.consumer)}[{self.partition}]@{self.offset}"

    @property
    def error(self) -> str:
        """Why the record could not be used."""
        return self.ours.error if self.ours else "odd: no dead letter of ours, its headers are others'"

    @property
    def obstacle(self) -> str | None:
        """Why it can't be replayed, if it can't."""
        if self.ours is None:
            return "it is no dead letter of ours"
        if self.ours.origin.last_offset is not None:
            return f"it holds the bytes of the whole batch {self.record}"
        if self.ours.cuts:
            cuts = " and ".join(f"{cut.part} ({cut.bytes:,} bytes, SHA-256 {cut.sha256})" for cut in self.ours.cuts)
            return f"it lacks some of the record's {cuts}; the whole record stands at {self.record} while that is kept"
        return None


class DeadLetters:
    """The dead-letter topics of one Kafka."""

    def __init__(self, servers: str) -> None:
        self._servers = servers.split(",")

    def read(self, consumer: str, *, content: bool = True) -> list[Letter]:
        """All letters of a consumer, the oldest first; without ``content`` no keys, values and headers are kept."""
        found: dict[tuple[int, int], Letter] = {}
        fates: dict[tuple[int, int], Fate] = {}
        for record in self._records(dead_letters(consumer), None, 0):
            mark = _mark(record)
            if mark is None:
                letter = _letter(consumer, record)
                found[record.partition, record.offset] = (
                    letter if content else replace(letter, key=None, value=None, headers=())
                )
            else:
                fate, offset = mark
                fates[record.partition, offset] = fate
        letters = [replace(letter, fate=fates.get(place)) for place, letter in found.items()]
        return sorted(letters, key=lambda letter: letter.at)

    def open(self) -> dict[str, int]:
        """How many letters of each consumer nobody has dealt with: the gauge."""
        return {name: sum(letter.fate is None for letter in self.read(name, content=False)) for name in CONSUMERS}

    def replay(self, letters: Iterable[Letter]) -> Iterator[tuple[Letter, Fate]]:
        """Append each record where it came from, as it was: its consumer gets it once more, by its usual way.

        A row that changed since is not put behind its own future, where a compaction would keep it. Raises ValueError
        for a letter with an obstacle and for one that its topic does not take, and as Appender does.
        """
        producer = Appender(self._servers)
        try:
            for letter in letters:
                if letter.ours is None or letter.obstacle:
                    raise ValueError(f"{letter.id} can't be replayed: {letter.obstacle}")
                origin = letter.ours.origin
                if origin.topic in COMPACTED and self._changed_since(letter.key, letter.ours):
                    yield letter, _put_mark(producer, letter, Fate.SUPERSEDED)
                    continue
                try:
                    producer.append(origin.topic, origin.partition, letter.key, letter.value, letter.headers)
                except MessageSizeTooLargeError as error:
                    raise ValueError(f"{letter.id} is too large for {origin.topic} without its compression") from error
                yield letter, _put_mark(producer, letter, Fate.REPLAYED)
        finally:
            producer.close()

    def discard(self, letters: Iterable[Letter]) -> Iterator[tuple[Letter, Fate]]:
        """Mark letters as dealt with. Raises as Appender does."""
        producer = Appender(self._servers)
        try:
            for letter in letters:
                yield letter, _put_mark(producer, letter, Fate.DISCARDED)
        finally:
            producer.close()

    def _changed_since(self, key: bytes | None, ours: DeadLetterInfo) -> bool:
        origin = ours.origin
        return any(record.key == key for record in self._records(origin.topic, origin.partition, origin.offset + 1))

    def _records(self, topic: str, partition: int | None, start: int) -> Iterator[Any]:
        """The records of a topic, or of one partition of it from an offset on, up to where it ends now.

        Raises KafkaTimeoutError when nothing has come for WAIT_S.
        """
        consumer = make_consumer(self._servers, bootstrap_timeout_ms=CONNECT_MS)
        try:
            numbers = [partition] if partition is not None else sorted(consumer.partitions_for_topic(topic) or ())
            places = [TopicPartition(topic, number) for number in numbers]
            begins, ends = consumer.beginning_offsets(places), consumer.end_offsets(places)
            consumer.assign(places)
            for place in places:
                consumer.seek(place, max(start, begins[place]))
            last = time.monotonic()
            while any(consumer.position(place) < ends[place] for place in places):
                for batch in consumer.poll(timeout_ms=POLL_MS).values():
                    last = time.monotonic()
                    yield from batch
                if time.monotonic() - last > WAIT_S:
                    raise KafkaTimeoutError(f"nothing more of {topic} within {WAIT_S:g} s")
        finally:
            consumer.close()


def _put_mark(producer: Appender, letter: Letter, fate: Fate) -> Fate:
    mark = f"{fate} {letter.offset}".encode()
    producer.append(dead_letters(letter.consumer), letter.partition, letter.key, None, [(MARK, mark)])
    return fate


def _mark(record: Any) -> tuple[Fate, int] | None:
    """What a mark of ours says, and of which offset: a record without value and with that header alone."""
    headers: list[Header] = list(record.headers or ())
    if record.value is not None or [name for name, _ in headers] != [MARK]:
        return None
    fate, _, offset = (headers[0][1] or b"").decode(errors="replace").partition(" ")
    try:
        return Fate(fate), int(offset)
    except ValueError:
        return None


def _letter(consumer: str, record: Any) -> Letter:
    headers = list(record.headers or ())
    found = decode_info(headers)
    # A letter of another topic than its consumer reads would be a way to write there.
    ours, own = found if found and found[0].origin.topic == inputs()[consumer] else (None, headers)
    return Letter(
        consumer=consumer,
        partition=record.partition,
        offset=record.offset,
        at=EPOCH + timedelta(milliseconds=min(max(record.timestamp, 0), LAST_MS)),
        ours=ours,
        key=record.key,
        value=record.value,
        headers=tuple(own),
    )
