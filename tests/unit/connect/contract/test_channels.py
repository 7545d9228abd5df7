"""The contract describes every topic that others may read or write, with the headers that the code reads."""

from typing import Any

import msgspec
import pytest

from connect.contract.channels import CHANNELS, Channel, Direction
from connect.topics import HEARTBEAT, HEARTBEAT_ROWS, TABLES, all_topics, changelog
from streams.runtime.headers import FIRST_SEEN
from tables.messages.answers import REQUEST
from tables.messages.dead_letters import DETAILED_INFO_HEADERS, INFO_HEADERS, DeadLetterInfo, Origin, encode_info
from tables.messages.record_headers import (
    AnnouncementHeaders,
    AnswerHeaders,
    DeadLetterHeaders,
    JobHeaders,
    RequestHeaders,
    TraceHeaders,
)
from tables.messages.request_origins import CORRELATION_ID
from telemetry.traces import TRACEPARENT_HEADER
from tests.unit.connect.contract.validation import errors

# Only the parts that write them can use these.
INTERNAL = {HEARTBEAT, HEARTBEAT_ROWS, *map(changelog, TABLES)}


def test_every_topic_is_described_once_or_is_internal() -> None:
    for topic in all_topics():
        found = [channel.address for channel in CHANNELS if channel.is_address_of(topic.name)]
        assert len(found) == (0 if topic.name in INTERNAL else 1), topic.name


def test_every_address_without_a_parameter_is_a_topic() -> None:
    names = {topic.name for topic in all_topics()}
    assert {channel.address for channel in CHANNELS if "{" not in channel.address} <= names


@pytest.mark.parametrize(
    ("topic", "expected"),
    [("dlq.ledger", True), ("dlq.", False), ("dlq.a.b", False), ("dlqXledger", False), ("my.dlq.ledger", False)],
)
def test_a_parameter_stands_for_one_part_of_a_name(topic: str, *, expected: bool) -> None:
    channel = Channel("dlq.{consumer}", Direction.OUTPUT, "", None, None)
    assert channel.is_address_of(topic) is expected


def names(headers: Any) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(headers))


def test_the_headers_are_those_that_the_code_reads_and_writes() -> None:
    assert names(TraceHeaders) == (TRACEPARENT_HEADER,)
    assert names(AnnouncementHeaders) == (TRACEPARENT_HEADER, "id")
    assert names(JobHeaders) == (TRACEPARENT_HEADER, FIRST_SEEN)
    assert names(RequestHeaders) == (TRACEPARENT_HEADER, CORRELATION_ID)
    assert names(AnswerHeaders) == (REQUEST, CORRELATION_ID)
    assert names(DeadLetterHeaders) == DETAILED_INFO_HEADERS
    assert tuple(field.encode_name for field in msgspec.structs.fields(DeadLetterHeaders) if field.required) == (
        INFO_HEADERS
    )


@pytest.mark.parametrize("last", [None, 9])
def test_the_headers_of_a_dead_letter_follow_their_schema(last: int | None) -> None:
    headers = encode_info(DeadLetterInfo(Origin("ticket-commands", 2, 5, last), "no `lines`"))
    written = {name: value.decode() for name, value in headers if value is not None}
    assert errors("dlq.consumer.headers", written) == []
    assert errors("dlq.consumer.headers", written | {"dlq-offset": "-1"})
