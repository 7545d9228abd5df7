"""Transactions on every input topic: what was aborted never was, what was committed is used."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer

from connect.client_options import client_options
from connect.observe.lag import KafkaWatch
from connect.topics import RETRIES
from tests.edges.attack import Attack, Sent
from tests.edges.targets import TARGETS, Target
from tests.eventually import eventually
from tests.pipeline import WORKERS

# What waits comes back as a job some seconds later, in a transaction or not.
PROMPT: Final = tuple(target for target in TARGETS if target.topic != RETRIES)
ROUNDS: Final = 3
MANY: Final = 30
BAD: Final = b"not JSON"


@dataclass
class Producers:
    """Producers that write good records to every topic, and remember which they were."""

    attack: Attack
    sent: dict[str, list[Sent]] = field(default_factory=dict)

    @asynccontextmanager
    async def open(self, name: str | None = None) -> AsyncIterator[AIOKafkaProducer]:
        """A producer, with transactions under that name if it has one."""
        producer = AIOKafkaProducer(bootstrap_servers=self.attack.pipeline.kafka, transactional_id=name)
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    async def write(self, producer: AIOKafkaProducer, name: str, value: bytes | None = None) -> None:
        """Append a record to each topic: a good one, unless its value is given."""
        await asyncio.gather(*(self._write(producer, name, target, value) for target in PROMPT))

    async def _write(self, producer: AIOKafkaProducer, name: str, target: Target, value: bytes | None) -> None:
        world, mark = self.attack.world, uuid4()
        partition, key = target.partition(world), target.key(world, mark)
        place = await producer.send_and_wait(target.topic, value or target.value(world, mark), key, partition)
        sent = Sent(target, mark, partition, place.offset, 1, 0.0)
        self.sent.setdefault(name, []).append(sent)
        self.attack.sent.append(sent)


async def ended(producers: Producers) -> None:
    """Transactions one after the other: aborted, committed, aborted after many batches."""
    async with producers.open(uuid4().hex) as producer:
        await producer.begin_transaction()
        await producers.write(producer, "aborted")
        await producers.write(producer, "aborted, bad", BAD)
        await producer.abort_transaction()
        await producer.begin_transaction()
        await producers.write(producer, "committed")
        await producers.write(producer, "committed, bad", BAD)
        await producer.commit_transaction()
        await producer.begin_transaction()
        for _ in range(MANY):
            await producers.write(producer, "aborted, many", BAD)
        await producer.abort_transaction()


async def interleaved(producers: Producers) -> None:
    """Three transactions at once, with records without one in between."""
    async with AsyncExitStack() as stack:
        first, second, third = [await stack.enter_async_context(producers.open(uuid4().hex)) for _ in range(3)]
        plain = await stack.enter_async_context(producers.open())
        for producer in (first, second, third):
            await producer.begin_transaction()
        for _ in range(ROUNDS):
            await producers.write(first, "aborted among others")
            await producers.write(second, "committed among others")
            await producers.write(plain, "none among others")
            await producers.write(third, "aborted last")
        await first.abort_transaction()
        await second.commit_transaction()
        await third.abort_transaction()


async def abandoned(producers: Producers) -> None:
    """A producer that comes again under its name: the broker aborts what the first one left open."""
    name = uuid4().hex
    async with producers.open(name) as first:
        await first.begin_transaction()
        await producers.write(first, "abandoned")
        async with producers.open(name) as second:
            await second.begin_transaction()
            await producers.write(second, "come again")
            await second.commit_transaction()


ABORTED: Final = ("aborted", "aborted, bad", "aborted, many", "aborted among others", "aborted last", "abandoned")
COMMITTED: Final = ("committed", "committed among others", "none among others", "come again")


@pytest.fixture(scope="module")
def producers(attack: Attack) -> Producers:
    """All transactions have ended, and nobody has anything left to read."""
    producers = Producers(attack)

    async def write() -> None:
        for deed in (ended, interleaved, abandoned):
            await deed(producers)

    asyncio.run(write())
    eventually(lambda: all_read(attack), within=200, pause=0.5)
    attack.follow()
    return producers


@contextmanager
def watch(attack: Attack) -> Iterator[KafkaWatch]:
    watch = KafkaWatch(client_options(attack.pipeline.settings))
    try:
        yield watch
    finally:
        watch.close()


def unread(attack: Attack) -> dict[str, int]:
    """By topic how much somebody has still to read; a marker at the end is nothing to read."""
    topics = {target.topic for target in PROMPT}
    with watch(attack) as kafka:
        groups = kafka.look().groups.values()
    return {topic: lag for group in groups for topic, lag in group.lags.items() if topic in topics and lag}


def all_read(attack: Attack) -> bool:
    """Whether nobody has anything to read; AssertionError with what is left otherwise."""
    left = unread(attack)
    assert left == {}
    return True


def effects(attack: Attack, sent: Sequence[Sent]) -> dict[str, set[UUID]]:
    """By topic which of these good records have had their effect."""
    taken = {target.topic: attack.effects(target.topic) for target in PROMPT}
    return {
        target.topic: {one.mark for one in sent if one.target is target and str(one.mark) in taken[target.topic]}
        for target in PROMPT
    }


@pytest.mark.parametrize("name", ABORTED)
def test_what_was_aborted_never_was(producers: Producers, name: str) -> None:
    sent = producers.sent[name]

    assert effects(producers.attack, sent) == {target.topic: set() for target in PROMPT}
    letters = [
        letter
        for one in sent
        for consumer in one.target.consumers
        for letter in producers.attack.letters_of(one, consumer)
    ]
    assert letters == []


@pytest.mark.parametrize("name", COMMITTED)
def test_what_was_committed_is_used(producers: Producers, name: str) -> None:
    sent = producers.sent[name]
    marks = {target.topic: {one.mark for one in sent if one.target is target} for target in PROMPT}

    eventually(lambda: effects(producers.attack, sent) == marks, within=20, pause=0.2)


def test_what_was_committed_and_can_not_be_read_is_a_dead_letter(producers: Producers) -> None:
    def all_there() -> bool:
        producers.attack.follow()
        return all(
            producers.attack.letters_of(one, consumer)
            for one in producers.sent["committed, bad"]
            for consumer in one.target.consumers
        )

    eventually(all_there, within=20)


def test_a_transaction_that_stays_open_keeps_back_what_follows_until_it_ends(attack: Attack) -> None:
    producers = Producers(attack)

    async def write() -> None:
        async with producers.open(uuid4().hex) as producer, producers.open() as plain:
            await producer.begin_transaction()
            await producers.write(producer, "open")
            await producers.write(plain, "behind it")
            kept_back = effects(attack, [*producers.sent["open"], *producers.sent["behind it"]])
            await producer.commit_transaction()
            assert kept_back == {target.topic: set() for target in PROMPT}

    asyncio.run(write())
    sent = [*producers.sent["open"], *producers.sent["behind it"]]
    both = {target.topic: {one.mark for one in sent if one.target is target} for target in PROMPT}

    def had_effect() -> bool:
        assert effects(attack, sent) == both
        return True

    eventually(had_effect, within=150, pause=0.2)


def test_no_worker_ends_and_each_begins_behind_a_marker(attack: Attack, producers: Producers) -> None:
    assert producers.sent
    assert attack.ended() == []
    attack.pipeline.stack.stop(*WORKERS)
    attack.pipeline.stack.start(*WORKERS)
    attack.pids = attack.running()
    took = attack.probe(PROMPT)

    assert attack.ended() == []
    assert took.keys() == {target.topic for target in PROMPT}
