"""Records of any size and with any headers on the running pipeline, and the operator's command on their letters."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import UUID, uuid4

import pytest
from kafka import KafkaProducer

from connect.client_options import client_options
from connect.partitioning import partition_of
from connect.records.appending import Appender
from connect.topics import COMMANDS, JOBS, dead_letters
from tables.messages.commands import Buy, TicketLine, encode_command
from tables.messages.dead_letters import Cut, RecordPart, decode_info
from tables.messages.outcomes import OutcomeKind
from tests.e2e.test_log import outcome_of
from tests.e2e.test_operating import status, turnstile
from tests.eventually import eventually
from tests.pipeline import PARTITIONS, Pipeline


@pytest.fixture
def foreign(pipeline: Pipeline) -> Iterator[Any]:
    """A producer that compresses what it sends."""
    producer = KafkaProducer(
        bootstrap_servers=pipeline.kafka, acks="all", compression_type="gzip", max_request_size=16 * 2**20
    )
    yield producer
    producer.close()


@pytest.fixture
def workers(pipeline: Pipeline) -> Iterator[None]:
    """The workers are the same ones afterwards."""
    before = dict(pipeline.stack.pids)
    yield
    assert pipeline.stack.pids == before


def letters_of(pipeline: Pipeline, consumer: str, topic: str, partition: int, offset: int) -> list[Any]:
    """The dead letters of that record."""
    found = [(letter, decode_info(letter.headers)) for letter in pipeline.dead_letters(consumer)]
    place = f"{topic}[{partition}]@{offset}"
    return [(letter, *said) for letter, said in found if said and str(said[0].origin) == place]


def next_is_decided(pipeline: Pipeline, event: str, kind: str) -> None:
    purchase = uuid4()
    pipeline.send(event, encode_command(Buy(UUID(event), purchase, uuid4(), [TicketLine(UUID(kind), 1)])))
    assert outcome_of(pipeline, event, purchase).kind is OutcomeKind.CONFIRMED


@pytest.mark.usefixtures("workers")
def test_a_record_of_three_megabytes_becomes_a_letter_that_is_cut_and_says_so(pipeline: Pipeline, foreign: Any) -> None:
    event, [kind] = pipeline.event(5)
    home = partition_of(event.encode(), PARTITIONS)
    value = b"{" + b" " * 3_000_000

    stored = foreign.send(COMMANDS, key=event.encode(), value=value, partition=home).get(30)
    next_is_decided(pipeline, event, kind)

    [(letter, ours, _)] = letters_of(pipeline, "ledger", COMMANDS, home, stored.offset)
    assert value.startswith(letter.value)
    assert ours.cuts == (Cut(RecordPart.VALUE, len(value), hashlib.sha256(value).hexdigest()),)
    name = f"ledger:{letter.partition}:{letter.offset}"
    refused = turnstile(pipeline, "dlq", "replay", name)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"it lacks some of the record's value ({len(value):,} bytes" in refused.stderr
    assert turnstile(pipeline, "dlq", "discard", name).stdout.split() == [name, "discarded"]


@pytest.mark.usefixtures("workers")
def test_a_misplaced_command_with_a_header_of_two_megabytes_is_decided_without_it(
    pipeline: Pipeline, foreign: Any
) -> None:
    event, [kind] = pipeline.event(5)
    purchase = uuid4()
    command = encode_command(Buy(UUID(event), purchase, uuid4(), [TicketLine(UUID(kind), 1)]))
    wrong = (partition_of(event.encode(), PARTITIONS) + 1) % PARTITIONS

    foreign.send(COMMANDS, key=b"any", value=command, partition=wrong, headers=[("large", b"x" * 2_000_000)]).get(30)

    assert outcome_of(pipeline, event, purchase).kind is OutcomeKind.CONFIRMED
    next_is_decided(pipeline, event, kind)


@pytest.mark.usefixtures("workers")
def test_marks_that_a_producer_forges_change_nothing(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(5)
    home = partition_of(event.encode(), PARTITIONS)
    before = json.loads(turnstile(pipeline, "dlq", "count", "--json").stdout)["ledger"]
    forged = [("dlq-done", b"x"), ("dlq-partition", b"x"), ("dlq-error", b"none"), ("dlq-done", b"replayed 0")]

    future = pipeline.producer.send(COMMANDS, key=event.encode(), value=b"nope", partition=home, headers=forged)
    offset = future.get(30).offset
    # What stands on a dead-letter topic itself may be anything, too.
    odd = pipeline.producer.send(dead_letters("ledger"), value=b"nope", headers=[("dlq-done", b"x")]).get(30)
    next_is_decided(pipeline, event, kind)

    [(letter, _, own)] = letters_of(pipeline, "ledger", COMMANDS, home, offset)
    assert own == forged
    listed = turnstile(pipeline, "dlq", "list", "ledger").stdout
    assert f"\n  {COMMANDS}[{home}]@{offset}\n" in listed
    assert f"\n  dlq.ledger[{odd.partition}]@{odd.offset}\n  foreign: " in listed
    assert max(map(len, listed.splitlines())) <= 80
    assert json.loads(turnstile(pipeline, "dlq", "count", "--json").stdout)["ledger"] == before + 2
    assert status(pipeline)[1]["dead letters"]["state"] == "warn"
    for one in (letter, odd):
        name = f"ledger:{one.partition}:{one.offset}"
        assert turnstile(pipeline, "dlq", "discard", name).stdout.split() == [name, "discarded"]


@pytest.mark.usefixtures("workers")
def test_a_replayed_record_is_the_same_with_its_nulls_and_duplicates(pipeline: Pipeline) -> None:
    mark = uuid4().hex.encode()
    headers = [("one", None), ("one", mark), ("one", b""), ("dlq-done", b"x")]
    with closing(Appender(client_options(pipeline.settings))) as appender:
        appender.append(JOBS, 1, b"\xff", mark, headers)
    [stored] = [record for record in pipeline.records(JOBS) if record.value == mark]

    [(letter, *_)] = eventually(lambda: letters_of(pipeline, "mailer", JOBS, 1, stored.offset), within=20, pause=0.5)
    name = f"mailer:{letter.partition}:{letter.offset}"
    assert turnstile(pipeline, "dlq", "replay", name).stdout.split() == [name, "replayed"]

    again = [record for record in pipeline.records(JOBS) if record.value == mark]
    assert [(record.key, list(record.headers)) for record in again] == [(b"\xff", headers)] * 2
    # Its consumer can still not use it.
    [(second, *_)] = eventually(lambda: letters_of(pipeline, "mailer", JOBS, 1, again[-1].offset), within=20, pause=0.5)
    assert turnstile(pipeline, "dlq", "discard", f"mailer:{second.partition}:{second.offset}").returncode == 0
