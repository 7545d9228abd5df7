"""What other producers may do to a topic, for those who read it beside the agents: kafka-python, and the changelogs."""

import asyncio
from typing import Any

from kafka import KafkaProducer, TopicPartition

from connect.observe.lag import KafkaWatch
from connect.records.codecs import UNPACKED_MAX_BYTES
from connect.records.consumer import make_consumer
from connect.records.unread import unreadable_offsets
from streams.runtime.changelog import Rows, changes
from tests.chaos.test_fetching import transactional
from tests.chaos.world import World
from tests.rawbatches import CODECS, append, batch, sealed

PARTITION = 0


def send(producer: KafkaProducer, topic: str, value: bytes) -> None:
    producer.send(topic, key=b"key", value=value, partition=PARTITION).get(30)


def test_kafka_pythons_reader_gets_all_that_was_committed_and_can_be_read(world: World) -> None:
    topic = world.outcomes
    odd = batch(0, b"odd header", headers=[("name", b"x")]).replace(b"name", b"\xe9t\xe9!")
    with transactional(world) as producer:
        for codec in CODECS:
            append(world.broker, topic, PARTITION, batch(0, b"c" * 100, codec.encode(), codec=codec))
        append(world.broker, topic, PARTITION, sealed(odd))
        append(world.broker, topic, PARTITION, batch(0, bytes(UNPACKED_MAX_BYTES), b"bomb", codec="gzip"))
        producer.begin_transaction()
        send(producer, topic, b"aborted")
        producer.abort_transaction()
        producer.begin_transaction()
        send(producer, topic, b"committed")
        producer.commit_transaction()
        producer.begin_transaction()
        send(producer, topic, b"open")
        values = [value for value in everything(world, topic) if len(value) < 50]
        producer.abort_transaction()
    assert values == [*(codec.encode() for codec in CODECS), b"odd header", b"committed"]
    assert unreadable_offsets[topic] == 2


def everything(world: World, topic: str) -> list[bytes]:
    place = TopicPartition(topic, PARTITION)
    consumer: Any = make_consumer({"bootstrap_servers": world.broker})
    try:
        [end] = consumer.end_offsets([place]).values()
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        found: list[bytes] = []
        while consumer.position(place) < end:
            found += [record.value for batch in consumer.poll(timeout_ms=500).values() for record in batch]
        return found
    finally:
        consumer.close()


def test_a_changelog_is_read_to_its_end_behind_a_transaction_that_is_open_and_then_aborted(world: World) -> None:
    async def read() -> list[Rows]:
        with transactional(world) as producer:
            producer.begin_transaction()
            send(producer, world.changelog, b"somebody else's")
            world.append_change(PARTITION, b"ours", b"value")
            found = asyncio.create_task(everything_of(world))
            await asyncio.wait({found}, timeout=2)
            producer.abort_transaction()
            return await found

    assert asyncio.run(read()) == [[(b"ours", b"value")]]


async def everything_of(world: World) -> list[Rows]:
    return [
        rows
        async for _, rows, _ in changes({"bootstrap_servers": world.broker}, world.changelog, {PARTITION: 0})
        if rows
    ]


def test_what_an_open_transaction_keeps_back_is_told_and_is_no_lag(world: World) -> None:
    place = TopicPartition("ticket-purchase", PARTITION)
    watch = KafkaWatch({"bootstrap_servers": world.broker})
    watch._partitions = lambda: [place._replace(topic=world.outcomes)]  # type: ignore[method-assign]
    [place] = watch._partitions()
    try:
        with transactional(world) as producer:
            send(world.producer, world.outcomes, b"before")
            producer.begin_transaction()
            send(producer, world.outcomes, b"open")
            send(world.producer, world.outcomes, b"behind")
            kept_back = watch.look()
            producer.commit_transaction()
            free = watch.look()
    finally:
        watch.close()
    assert (kept_back.partition_ends[place], kept_back.stable_ends[place]) == (3, 1)
    assert (free.partition_ends[place], free.stable_ends[place]) == (4, 4)
