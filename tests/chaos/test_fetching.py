"""What other producers may do to the command log below its records: codecs, transactions, odd bytes. Nothing stops.

All of it is done to one worker.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from connect.records.codecs import UNPACKED_MAX_BYTES
from connect.topics import dead_letters
from tables.messages.dead_letters import Origin, decode_info
from tests.chaos.sale import Sale
from tests.chaos.world import World
from tests.eventually import eventually
from tests.rawbatches import append, batch, packed, sealed


@pytest.fixture(scope="module")
def sale(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sale]:
    """A sale that has begun; all its commands lie on one partition."""
    world = World(broker, tmp_path_factory.mktemp("fetching"))
    try:
        sale = Sale(world)
        world.start()
        world.settle()
        yield sale
    finally:
        world.close()


def purchase(sale: Sale) -> tuple[str, bytes]:
    """A purchase that nobody sent yet: its id and its bytes."""
    event, id_ = sale.events[0], str(uuid4())
    lines = [{"ticketType": sale.kinds[event][0], "quantity": 1}]
    body = {"kind": "purchase", "event": event, "purchase": id_, "account": sale.accounts[0], "lines": lines}
    return id_, json.dumps(body).encode()


def home(sale: Sale) -> tuple[bytes, int]:
    """The key of the first event, and its partition."""
    place = next(future.value for future, value in sale.world.sent if json.loads(value).get("event") == sale.events[0])
    return sale.events[0].encode(), place.partition


def told(world: World, *purchases: str) -> list[str]:
    """Which of the purchases have an outcome."""
    ids = {json.loads(row.value).get("purchase") for row in world.rows(world.outcomes)}
    return [one for one in purchases if one in ids]


def next_is_decided(sale: Sale) -> None:
    """Send a purchase in the usual way and wait for its outcome, in the process that was there all the time."""
    world = sale.world
    id_, value = purchase(sale)
    key, partition = home(sale)
    world.producer.send(world.commands, key=key, value=value, partition=partition).get(30)
    eventually(lambda: told(world, id_) == [id_], within=20)
    world.settle()
    assert not world.has_ended()


@contextmanager
def transactional(world: World, **options: Any) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(bootstrap_servers=world.broker, transactional_id=uuid4().hex, **options)
    try:
        producer.init_transactions()
        yield producer
    finally:
        producer.close(timeout=5)


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_commands_in_every_codec_are_decided(sale: Sale, codec: str) -> None:
    world = sale.world
    key, partition = home(sale)
    bought = [purchase(sale) for _ in range(20)]
    raw = packed(0, [(key, value, ()) for _, value in bought], codec=codec)
    append(world.broker, world.commands, partition, raw)
    next_is_decided(sale)
    assert told(world, *(id_ for id_, _ in bought)) == [id_ for id_, _ in bought]


def test_aborted_commands_are_not_decided_and_markers_are_no_gap(sale: Sale) -> None:
    world = sale.world
    key, partition = home(sale)
    dropped, kept = purchase(sale), purchase(sale)
    with transactional(world) as producer:
        producer.begin_transaction()
        producer.send(world.commands, key=key, value=dropped[1], partition=partition).get(30)
        producer.abort_transaction()
        world.settle()  # a marker is the last that there is
        producer.begin_transaction()
        producer.send(world.commands, key=key, value=kept[1], partition=partition).get(30)
        producer.commit_transaction()
    world.settle()
    next_is_decided(sale)
    assert told(world, dropped[0], kept[0]) == [kept[0]]


def test_interleaved_transactions_of_many_batches_are_told_apart(sale: Sale) -> None:
    world = sale.world
    key, partition = home(sale)
    kept: list[tuple[str, bytes]] = []
    dropped: list[tuple[str, bytes]] = []
    with transactional(world, linger_ms=0) as good, transactional(world, linger_ms=0) as bad:
        good.begin_transaction()
        bad.begin_transaction()
        for _ in range(40):
            for producer, bought in ((good, kept), (bad, dropped)):
                bought.append(purchase(sale))
                producer.send(world.commands, key=key, value=bought[-1][1], partition=partition).get(30)
            plain = purchase(sale)
            kept.append(plain)
            world.producer.send(world.commands, key=key, value=plain[1], partition=partition).get(30)
        assert told(world, *(id_ for id_, _ in [*kept, *dropped])) == []
        bad.abort_transaction()
        good.commit_transaction()
    next_is_decided(sale)
    ids = [id_ for id_, _ in kept]
    assert sorted(told(world, *ids, *(id_ for id_, _ in dropped))) == sorted(ids)


def test_a_worker_that_dies_goes_on_behind_markers_and_aborted_records(sale: Sale) -> None:
    world = sale.world
    key, partition = home(sale)
    with transactional(world) as producer:
        for _ in range(5):
            producer.begin_transaction()
            producer.send(world.commands, key=key, value=purchase(sale)[1], partition=partition).get(30)
            producer.abort_transaction()
            world.producer.send(world.commands, key=key, value=purchase(sale)[1], partition=partition).get(30)
    world.kill()
    world.start()
    next_is_decided(sale)


def test_a_command_with_a_header_whose_name_is_no_text_is_decided(sale: Sale) -> None:
    world = sale.world
    key, partition = home(sale)
    id_, value = purchase(sale)
    raw = packed(0, [(key, value, [("name", b"x")])])
    append(world.broker, world.commands, partition, sealed(raw.replace(b"name", b"\xe9t\xe9!")))
    next_is_decided(sale)
    assert told(world, id_) == [id_]


def test_a_command_that_claims_the_offset_of_another_is_a_dead_letter_and_the_other_is_decided(sale: Sale) -> None:
    world = sale.world
    key, partition = home(sale)
    liar, honest = purchase(sale), purchase(sale)
    raw = packed(0, [(key, liar[1], ())])
    at = raw.index(key) - 2
    before = ledger_dead_letters(world)
    spoilt = sealed(raw[:at] + bytes([1 << 1]) + raw[at + 1 :])
    offset = append(world.broker, world.commands, partition, spoilt)
    world.producer.send(world.commands, key=key, value=honest[1], partition=partition).get(30)
    next_is_decided(sale)
    assert told(world, liar[0], honest[0]) == [honest[0]]
    [dead_letter] = new_dead_letters(world, before)
    said, _ = decode_info(dead_letter.headers) or (None, [])
    assert said is not None
    assert said.origin == Origin(world.commands, partition, offset, offset)


def new_dead_letters(world: World, before: list[Any]) -> list[Any]:
    """The dead letters that were not there before."""
    known = {(one.partition, one.offset) for one in before}
    return [one for one in ledger_dead_letters(world) if (one.partition, one.offset) not in known]


def ledger_dead_letters(world: World) -> list[Any]:
    """The ledger's dead letters."""
    topic = dead_letters("ledger") + f"-{world.name}"
    consumer = KafkaConsumer(bootstrap_servers=world.broker, enable_auto_commit=False)
    places = [TopicPartition(topic, number) for number in range(world.partitions)]
    try:
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        found: list[Any] = []
        while any(consumer.position(place) < end for place, end in ends.items()):
            found += [record for batch in consumer.poll(timeout_ms=500).values() for record in batch]
        return found
    finally:
        consumer.close()


# A broker takes no bomb of snappy: it packs to a twentieth at best.
@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
def test_a_bomb_becomes_a_dead_letter(sale: Sale, codec: str) -> None:
    world = sale.world
    _, partition = home(sale)
    before = ledger_dead_letters(world)
    bomb = batch(0, bytes(UNPACKED_MAX_BYTES), b"b", codec=codec)
    offset = append(world.broker, world.commands, partition, bomb)
    next_is_decided(sale)
    [dead_letter] = new_dead_letters(world, before)
    said, _ = decode_info(dead_letter.headers) or (None, [])
    assert said is not None
    assert said.origin == Origin(world.commands, partition, offset, offset + 1)
    assert "unpack to more than" in said.error
    assert dead_letter.value[61:] == bomb[61:]
