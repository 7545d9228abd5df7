"""The records of kafka-python's consumer for fetches with valid, damaged, aborted or too many bytes."""

import logging
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from kafka import IsolationLevel, TopicPartition
from kafka.errors import KafkaTimeoutError
from kafka.record.memory_records import MemoryRecords

from connect.records import codecs, consumer
from connect.records.consumer import LenientPartitionRecords, read_to
from connect.records.unread import unreadable_offsets
from tests.rawbatches import ABORT, CODECS, COMMIT, HEADER_BYTES, TRANSACTIONAL, batch, marker, packed, sealed


def reading(fetched: bytes, begin: int = 0, aborted: Sequence[tuple[int, int]] = ()) -> Any:
    """The records of a fetch; each has its own topic, since each range is logged only once."""
    return LenientPartitionRecords(
        begin,
        TopicPartition(uuid4().hex, 0),
        MemoryRecords(fetched),
        isolation_level=IsolationLevel.READ_COMMITTED,
        aborted_transactions=[SimpleNamespace(producer_id=id_, first_offset=first) for id_, first in aborted],
    )


def read(fetched: bytes, begin: int = 0, aborted: Sequence[tuple[int, int]] = ()) -> list[Any]:
    """Values by offset, the next offset to fetch, and the number of skipped offsets."""
    found = reading(fetched, begin, aborted)
    told = [(record.offset, record.value) for record in found.take()]
    return [*told, found.next_fetch_offset, unreadable_offsets[found.topic_partition.topic]]


@pytest.mark.parametrize("codec", CODECS)
def test_a_batch_is_read_whatever_its_codec(codec: str) -> None:
    values = [b"x" * 100] * 3
    assert read(batch(5, *values, codec=codec), begin=6) == [(6, values[1]), (7, values[2]), 8, 0]


class Log:
    """A consumer of one partition, of which each poll brings one record; None: it moves past a marker. Then silence."""

    def __init__(self, *records: int | None) -> None:
        self.records = list(records)
        self.at = 0

    def position(self, place: TopicPartition) -> int:
        return self.at

    def poll(self, timeout_ms: int, max_records: int | None) -> dict[TopicPartition, list[Any]]:
        if not self.records:
            return {}
        self.at += 1
        record = self.records.pop(0)
        return {} if record is None else {PLACE: [record]}


PLACE = TopicPartition("t", 0)


def test_a_log_is_read_to_its_end_past_what_is_no_record() -> None:
    assert list(read_to(Log(7, None, 8, 9), {PLACE: 3}, timeout_s=0)) == [[7], [8]]


def test_a_log_that_no_longer_comes_ends_the_reading() -> None:
    batches = read_to(Log(7), {PLACE: 3}, timeout_s=0.01)
    assert next(batches) == [7]
    with pytest.raises(KafkaTimeoutError, match="t"):
        next(batches)


def test_aborted_records_and_markers_are_passed_over() -> None:
    transaction = {"producer": 7, "flags": TRANSACTIONAL}
    fetched = (
        packed(0, [(None, b"a", ())], **transaction)  # type: ignore[arg-type]
        + batch(1, b"b")
        + marker(2, ABORT, 7)
        + packed(3, [(None, b"c", ())], **transaction)  # type: ignore[arg-type]
        + marker(4, COMMIT, 7)
    )
    assert read(fetched, aborted=[(7, 0)]) == [(1, b"b"), (3, b"c"), 5, 0]


def test_a_header_whose_name_is_no_text_does_not_keep_a_record_from_being_read() -> None:
    raw = batch(3, b"a", b"b", headers=[("kind", b"1")])
    spoilt = sealed(raw.replace(b"kind", b"\xe9t\xe9!", 1))
    assert read(spoilt, begin=3) == [(3, b"a"), (4, b"b"), 5, 0]
    [first, _] = reading(spoilt, begin=3).take()
    assert first.headers == [("\\xe9t\\xe9!", b"1")]


def test_a_record_that_contradicts_itself_is_left_out_alone() -> None:
    raw = batch(0, b"aaaa", b"bbbb", b"cccc")
    key_at = raw.index(b"key", raw.index(b"aaaa"))
    assert read(sealed(raw[: key_at - 1] + b"\x7e" + raw[key_at:])) == [(0, b"aaaa"), (2, b"cccc"), 3, 1]


def test_a_record_that_claims_the_offset_of_another_is_left_out() -> None:
    raw = batch(0, b"aaaa", b"bbbb")
    at = raw.index(b"key", raw.index(b"aaaa")) - 2
    assert read(sealed(raw[:at] + b"\x04" + raw[at + 1 :]) + batch(2, b"c")) == [(0, b"aaaa"), (2, b"c"), 3, 1]


def test_of_a_record_that_claims_the_offset_of_the_next_only_it_is_left_out() -> None:
    raw = batch(0, b"aaaa", b"bbbb", b"cccc")
    at = raw.index(b"key", raw.index(b"aaaa")) - 2
    assert read(sealed(raw[:at] + b"\x04" + raw[at + 1 :])) == [(0, b"aaaa"), (2, b"cccc"), 3, 1]


def test_a_batch_with_a_wrong_checksum_is_left_out_and_what_follows_is_fetched_anew() -> None:
    spoilt = batch(0, b"aaaa", b"bbbb").replace(b"aaaa", b"aaab")
    assert read(spoilt + batch(2, b"c")) == [2, 2]


def test_a_header_that_contradicts_itself_is_passed_even_from_its_middle() -> None:
    spoilt = bytearray(batch(0, b"a", b"b"))
    spoilt[24] = 9
    assert read(bytes(spoilt), begin=1) == [2, 1]


@pytest.mark.parametrize("codec", [1, 2, 3, 4, 5, 7])
def test_a_batch_that_is_no_data_of_its_codec_is_left_out(codec: int) -> None:
    raw = sealed(batch(0, b"a", b"b"), codec=codec)
    assert read(raw + batch(2, b"c")) == [(2, b"c"), 3, 2]


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_a_bomb_is_left_out(codec: str) -> None:
    raw = batch(0, bytes(codecs.UNPACKED_MAX_BYTES), b"b", codec=codec)
    assert read(raw + batch(2, b"c")) == [(2, b"c"), 3, 2]


def test_a_fetch_is_unpacked_no_further_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "UNPACKED_MAX_BYTES", 150)
    fetched = b"".join(batch(number, b"a" * 100, codec="gzip") for number in range(3))
    assert read(fetched) == [(0, b"a" * 100), (1, b"a" * 100), 2, 0]


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_records_that_a_batch_counts_and_does_not_have_are_left_out(codec: str) -> None:
    spoilt = sealed(batch(0, b"a", codec=codec), delta=2, count=3)
    assert read(spoilt + batch(3, b"d")) == [(0, b"a"), (3, b"d"), 4, 2]


def test_an_emptied_batch_is_passed_over() -> None:
    assert read(sealed(batch(4, b"a")[:HEADER_BYTES], delta=2, count=0), begin=4) == [7, 0]


def test_what_is_left_out_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    spoilt = batch(0, b"aaaa", b"bbbb").replace(b"aaaa", b"aaab")
    place = TopicPartition(uuid4().hex, 1)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            LenientPartitionRecords(0, place, MemoryRecords(spoilt)).take()
    [line] = caplog.records
    assert line.__dict__["record"] == f"{place.topic}[1]@0-1"
    assert unreadable_offsets[place.topic] == 2


def test_a_broker_that_does_not_answer_is_given_up_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def connect(*, bootstrap_timeout_ms: int, **_: Any) -> Any:
        asked.append(bootstrap_timeout_ms)
        return SimpleNamespace(_fetcher=SimpleNamespace())

    monkeypatch.setattr(consumer, "KafkaConsumer", connect)
    consumer.make_consumer({})
    consumer.make_consumer({}, bootstrap_timeout_ms=100)
    assert asked == [5_000, 100]
