"""Batches in the bytes of a fetch, and what is used of one with a wrong checksum."""

import pytest

from connect.records.batches import (
    BatchRecord,
    RecordBatch,
    UnreadableOffsets,
    decode_records,
    parse_batch,
    split_batches,
    uncompressed,
)
from tests.rawbatches import CODECS, batch, sealed


def test_the_whole_batches_of_a_fetch_are_found_and_a_cut_one_is_not() -> None:
    first, second = batch(4, b"a", b"b"), batch(6, b"c")
    found = list(split_batches(first + second + batch(7, b"d")[:-1]))
    assert [(each.raw, each.base, each.last) for each in found] == [(first, 4, 5), (second, 6, 6)]


def test_bytes_that_are_no_batch_end_the_search() -> None:
    assert list(split_batches(b"\0" * 8 + b"\xff" * 20)) == []


@pytest.mark.parametrize("codec", CODECS)
def test_the_records_of_a_batch_are_read_with_all_that_they_have(codec: str) -> None:
    raw = batch(7, b"a" * 50, b"b" * 50, headers=[("one", b"1"), ("two", None)], codec=codec)  # type: ignore[list-item]
    first, second = decode_records(parse_batch(uncompressed(parse_batch(raw))))
    headers = [("one", b"1"), ("two", None)]
    assert first == BatchRecord(7, 1_000, 0, b"key", b"a" * 50, headers, first.size)  # type: ignore[union-attr]
    assert second[:6] == (8, 1_001, 0, b"key", b"b" * 50, headers)


def test_a_number_without_an_end_is_no_record() -> None:
    raw = batch(0, b"a")
    [found] = decode_records(parse_batch(sealed(raw[:61] + b"\xff" * 20)))
    assert isinstance(found, UnreadableOffsets)
    assert (found.offset, found.last, found.raw) == (0, 0, b"\xff" * 20)


def given_batch(base: int, delta: int, number: int) -> RecordBatch:
    return RecordBatch(b"", base, 2, 0, delta, 0, 0, number)


@pytest.mark.parametrize(
    ("delta", "number", "follows", "last"),
    [
        (4, 5, None, 14),
        (4, 5, 15, 14),
        (4, 5, 12, 11),
        (4, 7, None, 10),
        (4, 7, 13, 12),
        (-3, -2, None, 10),
        (2**31 - 1, 1, None, 10),
    ],
)
def test_no_header_is_believed_that_contradicts_itself_or_what_follows(
    delta: int, number: int, follows: int | None, last: int
) -> None:
    following = None if follows is None else given_batch(follows, 0, 1)
    assert given_batch(10, delta, number).believed_last(following) == last
