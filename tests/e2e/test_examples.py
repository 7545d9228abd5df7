"""The programs in ``examples/``: each buys by topic, prints the answer, and reads the decision, on the real stack."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final
from uuid import uuid4
from zlib import crc32

import pytest
from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

from connect.partitioning import partition_of
from connect.topics import OUTCOMES, requests
from tests.eventually import eventually
from tests.pipeline import PARTITIONS, Json, Pipeline
from tests.toolchains import PROGRAMS, Program

RUN_TIMEOUT_S: Final = 40
NEW_ACCOUNT_TIMEOUT_S: Final = 30


@pytest.fixture(scope="module")
def sale(pipeline: Pipeline) -> tuple[str, str, str]:
    """An event, its ticket type and a buyer. The event's partition is another one by CRC32, librdkafka's default."""
    while True:
        event, [ticket_type] = pipeline.event(20)
        if partition_of(event.encode(), PARTITIONS) != crc32(event.encode()) % PARTITIONS:
            return event, ticket_type, pipeline.account()


@pytest.mark.parametrize("language", PROGRAMS)
def test_an_example_buys_by_topic_and_reads_the_decision(
    language: str, pipeline: Pipeline, sale: tuple[str, str, str], tmp_path: Path
) -> None:
    program = PROGRAMS[language](tmp_path)
    event, ticket_type, account = sale
    group = group_at_the_end(pipeline, program)

    answer = eventually(lambda: bought(program, pipeline, event, account, ticket_type), within=NEW_ACCOUNT_TIMEOUT_S)

    outcome = answer["outcome"]
    assert (answer["status"], outcome["kind"], outcome["lines"][0]["quantity"]) == ("decided", "confirmed", 2)
    assert partition_of_request(pipeline, answer["purchase"]) == partition_of(event.encode(), PARTITIONS)
    with following(program, pipeline, group) as lines:
        read = next(json.loads(line) for line in lines if outcome["purchase"] in line)
    # An outcome has more than its answer, such as the event's stock.
    assert read.items() >= outcome.items()


def bought(program: Program, pipeline: Pipeline, event: str, account: str, ticket_type: str) -> Json | None:
    """The answer that an example prints; None while the gate doesn't know the new account."""
    command = (*program.command, "buy", event, account, ticket_type, "2")
    ran = subprocess.run(
        command, env=environment(program, pipeline), capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False
    )
    assert ran.returncode == 0, ran.stderr
    answer: Json = json.loads(ran.stdout)
    return None if answer["status"] == "unknown-account" else answer


@contextmanager
def following(program: Program, pipeline: Pipeline, group: str) -> Iterator[IO[str]]:
    """The lines that an example prints of the outcomes, until it is killed."""
    command = (*program.command, "outcomes")
    variables = environment(program, pipeline) | {"KAFKA_GROUP": group}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        alarm = threading.Timer(RUN_TIMEOUT_S, process.kill)
        alarm.start()
        try:
            yield process.stdout
        finally:
            alarm.cancel()
            process.kill()


def environment(program: Program, pipeline: Pipeline) -> dict[str, str]:
    return {**os.environ, **program.environment, "KAFKA_SERVERS": pipeline.kafka, "PRODUCER": "partner"}


def group_at_the_end(pipeline: Pipeline, program: Program) -> str:
    """A consumer group that has read all outcomes up to now, as the example's client notes it."""
    group = f"example-{uuid4().hex}"
    consumer = KafkaConsumer(bootstrap_servers=pipeline.kafka, group_id=group, enable_auto_commit=False)
    try:
        ends = consumer.end_offsets([TopicPartition(OUTCOMES, number) for number in range(PARTITIONS)])
        committed = {place: end - program.commits_last_read for place, end in ends.items()}
        consumer.commit({place: OffsetAndMetadata(at, "", -1) for place, at in committed.items() if at >= 0})
    finally:
        consumer.close()
    return group


def partition_of_request(pipeline: Pipeline, purchase: str) -> int:
    """Where the request with that purchase id is."""
    found = [
        each.partition for each in pipeline.records(requests("partner")) if purchase.encode() in (each.value or b"")
    ]
    return int(found[0])
