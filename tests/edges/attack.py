"""Sending inputs to all topics at once, and finding out what became of each."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
from aiokafka.errors import KafkaError
from kafka import TopicPartition

from connect.records.consumer import make_consumer
from connect.topics import (
    ACCOUNT_ROWS,
    COMMANDS,
    CONSUMERS,
    DELIVERIES,
    EVENT_ROWS,
    EVENT_STATUS,
    OUTCOMES,
    PAYMENT_EVENTS,
    PAYMENT_REQUESTS,
    answers,
    changelog,
    dead_letters,
)
from lab.chaos.record_batch import BatchAppender, RawRecord, record_batch
from stack.child import last_lines
from stack.member import HOST, NO_CAS
from tables.messages.answers import decode_answer
from tables.messages.dead_letters import decode_info
from tables.messages.outcomes import OutcomeKind
from tests.edges.inputs import Input, Result, good
from tests.edges.targets import PRODUCER, REQUESTS, TARGETS, Target, World
from tests.eventually import eventually
from tests.pipeline import PARTITIONS, WORKERS, Pipeline

AT_ONCE: Final = 8
WITHIN_S: Final = 120.0
ANSWER_S: Final = 30.0
LOG_LINES_SHOWN: Final = 30
_TITLE: Final = re.compile(r'"kind":"define-event".*"title":"([0-9a-f-]{36})"')
Origin = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch that was sent; ``offset`` is None where the broker refused it, ``at`` when it was acknowledged."""

    target: Target
    mark: UUID
    partition: int
    offset: int | None
    records: int
    at: float
    error: str = ""

    def places(self) -> Iterator[Origin]:
        """Where its records are."""
        if self.offset is not None:
            yield from ((self.target.topic, self.partition, self.offset + number) for number in range(self.records))


# Without a repr: pytest would write out every byte that was sent, for each test that fails.
@dataclass(repr=False)
class Attack:
    """The stack under attack: what was sent, the dead letters by consumer and origin, the answers by request."""

    pipeline: Pipeline
    world: World
    pids: dict[str, int] = field(init=False)
    letters: dict[tuple[str, Origin], Any] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.pids = self.running()
        self._letters = Reader(self.pipeline.kafka, *map(dead_letters, CONSUMERS))
        self._commands = Reader(self.pipeline.kafka, COMMANDS, from_the_end=True)
        self._contacts = Reader(self.pipeline.kafka, changelog("contacts"), from_the_end=True)
        self._answers = Reader(self.pipeline.kafka, answers(PRODUCER), from_the_end=True)
        self._effects: dict[str, set[str]] = {EVENT_STATUS: set(), ACCOUNT_ROWS: set(), REQUESTS: set()}

    def close(self) -> None:
        """Delete the rows that are in no database, so that the index is equal to PostgreSQL again."""
        rows = [each for each in self.sent if each.target.compact and each.offset is not None]
        gone = {"__deleted": "true", "__op": "d", "__lsn": self.world.position + 1}
        self.send_all((each.target, each.mark, good(each.target, self.world, each.mark, **gone)) for each in rows)
        for reader in (self._letters, self._commands, self._contacts, self._answers):
            reader.close()

    def running(self) -> dict[str, int]:
        """The process ids of the workers that are alive."""
        processes = self.pipeline.stack.processes
        return {name: processes[name].pid for name in WORKERS if processes[name].poll() is None}

    # sending

    def send_inputs(self, rows: Iterable[tuple[Input, Target]]) -> list[Sent]:
        """Send each input to its topic."""
        return asyncio.run(self._send([self._batch(each, target) for each, target in rows]))

    def send_all(self, batches: Iterable[tuple[Target, UUID, Sequence[RawRecord]]]) -> list[Sent]:
        """Send batches of records, each to the home of its topic's key."""
        now = round(time.time() * 1000)
        made = [
            (target, mark, target.partition(self.world), len(records), record_batch(records, at_ms=now))
            for target, mark, records in batches
        ]
        return asyncio.run(self._send(made))

    def _batch(self, each: Input, target: Target) -> tuple[Target, UUID, int, int, bytes]:
        mark = uuid4()
        partition = (target.partition(self.world) + each.away) % PARTITIONS
        return target, mark, partition, *each.batch(target, self.world, mark)

    async def _send(self, batches: Sequence[tuple[Target, UUID, int, int, bytes]]) -> list[Sent]:
        async with BatchAppender(self.pipeline.kafka, [target.topic for target in TARGETS]) as appender:
            places = asyncio.Semaphore(AT_ONCE)

            async def send(target: Target, mark: UUID, partition: int, records: int, batch: bytes) -> Sent:
                async with places:
                    offset, error = None, ""
                    try:
                        offset = await appender.append(target.topic, partition, batch)
                    except KafkaError as refusal:
                        error = repr(refusal)
                    return Sent(target, mark, partition, offset, records, time.monotonic(), error)

            sent = list(await asyncio.gather(*(send(*batch) for batch in batches)))
        self.sent += sent
        return sent

    def probe(self, targets: Sequence[Target] = TARGETS) -> dict[str, float]:
        """Send a good record to these topics; by topic how long it took (seconds), if it was taken in two minutes."""
        probes = self.send_all([(each, mark := uuid4(), good(each, self.world, mark)) for each in targets])
        took: dict[str, float] = {}

        def all_taken() -> bool:
            for each in probes:
                if each.target.topic not in took and self.is_taken(each):
                    took[each.target.topic] = time.monotonic() - each.at
            return len(took) == len(probes)

        with suppress(AssertionError):
            eventually(all_taken, within=WITHIN_S)
        return took

    def ended(self) -> list[str]:
        """The workers that are not those of the beginning, each with the last that it had to say."""
        alive, members = self.running(), self.pipeline.stack.members
        names = [name for name, pid in self.pids.items() if alive.get(name) != pid]
        return [f"{name}:\n{last_lines(members[name].log, LOG_LINES_SHOWN)}" for name in names]

    # what became of it

    def is_taken(self, sent: Sent) -> bool:
        """Whether a good record has had its effect."""
        return str(sent.mark) in self.effects(sent.target.topic)

    def letters_of(self, sent: Sent, consumer: str) -> list[Any]:
        """The dead letters of its records."""
        return [self.letters[consumer, place] for place in sent.places() if (consumer, place) in self.letters]

    def follow(self) -> None:
        """Read the dead letters, commands, contacts and answers that are new."""
        for record in self._letters.new():
            consumer = record.topic.removeprefix("dlq.")
            self.letters |= {(consumer, origin): record for origin in origins_of(record)}
        for record in self._commands.new():
            self._effects[EVENT_STATUS].update(_TITLE.findall((record.value or b"").decode(errors="replace")))
        for record in self._contacts.new():
            self._effects[ACCOUNT_ROWS].add((record.key or b"").decode(errors="replace"))
        for record in self._answers.new():
            self.answered[dict(record.headers)["request"].decode()] += 1
            answer = decode_answer(record.value)
            if answer.outcome is not None and answer.outcome.kind is OutcomeKind.CONFIRMED:
                self._effects[REQUESTS].add(str(answer.purchase))

    def effects(self, topic: str) -> set[str]:
        """The marks of all good records of a topic that have had their effect."""
        find: dict[str, Callable[[], set[str]]] = {
            COMMANDS: self._decided,
            EVENT_ROWS: self._indexed,
            OUTCOMES: lambda: self._rows("SELECT id FROM purchase WHERE event_id = %s"),
            DELIVERIES: lambda: self._rows("SELECT id FROM notification WHERE event_id = %s"),
            PAYMENT_EVENTS: lambda: self._rows("SELECT purchase_id FROM payment WHERE event_id = %s"),
            PAYMENT_REQUESTS: self._opened,
        }
        if topic in find:
            return find[topic]()
        if topic in self._effects:
            self.follow()
            return self._effects[topic]
        return self._mailed()

    def _decided(self) -> set[str]:
        return {str(one.purchase) for one in self.pipeline.outcomes(self.world.event) if one.status == "confirmed"}

    def _indexed(self) -> set[str]:
        ids = [str(each.mark) for each in self.sent if each.target.topic == EVENT_ROWS]
        url = f"{self.pipeline.elasticsearch}/events/_mget?_source=deleted"
        docs = asked("POST", url, json={"ids": ids})["docs"]
        return {doc["_id"] for doc in docs if doc.get("found") and not doc["_source"]["deleted"]}

    def _rows(self, query: str) -> set[str]:
        return {str(row[0]) for row in self.pipeline.rows(query, self.world.event)}

    def _opened(self) -> set[str]:
        port = self.pipeline.stack.settings.paper_port
        return {book["purchase"] for book in asked("GET", f"http://{HOST}:{port}/books.json")}

    def _mailed(self) -> set[str]:
        port = self.pipeline.stack.settings.mail_port
        mails = asked("GET", f"http://{HOST}:{port}/mails.json?q=Edges")
        return {mail["message_id"].strip("<>").partition("@")[0] for mail in mails}


def asked(method: str, url: str, **more: Any) -> Any:
    """The JSON that a server answers. Raises AssertionError where it does not, so that it is asked again."""
    try:
        return (
            httpx.request(method, url, timeout=ANSWER_S, trust_env=False, verify=NO_CAS, **more)
            .raise_for_status()
            .json()
        )
    except httpx.HTTPError as error:
        raise AssertionError(f"{url}: {error!r}") from error


class Reader:
    """Follows some topics from their beginning, or from their end."""

    def __init__(self, servers: str, *topics: str, from_the_end: bool = False) -> None:
        self._consumer = make_consumer({"bootstrap_servers": servers})
        places = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        self._consumer.assign(places)
        if from_the_end:
            self._consumer.seek_to_end(*places)
        else:
            self._consumer.seek_to_beginning(*places)
        for place in places:
            self._consumer.position(place)

    def new(self) -> Iterator[Any]:
        """The records that have come since the last look."""
        ends = self._consumer.end_offsets(list(self._consumer.assignment()))
        while any(self._consumer.position(place) < end for place, end in ends.items()):
            for batch in self._consumer.poll(timeout_ms=200).values():
                yield from batch

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()


def origins_of(letter: Any) -> list[Origin]:
    """Where a dead letter's record was, or all those of its batch."""
    read = decode_info(letter.headers)
    if read is None:
        return []
    place = read[0].origin
    last = place.offset if place.last_offset is None else place.last_offset
    return [(place.topic, place.partition, offset) for offset in range(place.offset, last + 1)]


def missing(attack: Attack, rows: Sequence[tuple[Input, Target]], sent: Sequence[Sent]) -> list[str]:
    """The rows that have not become what they have to, in words."""
    attack.follow()
    taken = {target.topic: attack.effects(target.topic) for target in TARGETS}
    found = []
    for (each, target), one in zip(rows, sent, strict=True):
        if problem := problem_of(attack, each.on(target), one, taken):
            found.append(f"{each.name} on {target.topic}: {problem}")
    return found


def problem_of(attack: Attack, result: Result, sent: Sent, taken: dict[str, set[str]]) -> str:
    """What is not as it has to be with a batch; empty if all is well."""
    refused = sent.offset is None
    if refused != (result is Result.REFUSED):
        return sent.error if refused else "the broker took it"
    consumers = sent.target.consumers
    buried = [consumer for consumer in consumers if attack.letters_of(sent, consumer)]
    has_effect = str(sent.mark) in taken[sent.target.topic]
    letters = f"dead letters of {', '.join(buried) or 'nobody'}"
    return {
        Result.TAKEN: "" if has_effect and not (buried and sent.records == 1) else f"effect {has_effect}, {letters}",
        Result.LETTER: "" if len(buried) == len(consumers) else letters,
        Result.SEEN: "" if has_effect or len(buried) == len(consumers) else letters,
        Result.PASSED: f"effect {has_effect}, {letters}" if has_effect or buried else "",
    }.get(result, "")
