"""The records of aiokafka's fetcher for valid, damaged, aborted or too many bytes. Only the broker is fake."""

import zlib
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.structs import TopicPartition
from hypothesis import example, given
from hypothesis import strategies as st

from connect.records import codecs, fetching
from connect.records.batches import BrokenRecord
from connect.records.codecs import UnpackError
from connect.records.fetching import BadChecksum, KeptMemoryRecords, SkippedOffsets, SkippingPartitionRecords
from tests.rawbatches import ABORT, CODECS, COMMIT, HEADER_BYTES, TRANSACTIONAL, batch, marker, packed, sealed

PLACE = TopicPartition("commands", 0)
READ_COMMITTED = 1
Told = list[Any]


def reading(fetched: bytes, begin: int = 0, aborted: Sequence[tuple[int, int]] = ()) -> Any:
    return SkippingPartitionRecords(
        PLACE, KeptMemoryRecords(fetched), list(aborted), begin, None, None, True, READ_COMMITTED
    )


def read(fetched: bytes, begin: int = 0, aborted: Sequence[tuple[int, int]] = ()) -> Told:
    """Values and skipped offsets in order, with the type of the error; then the next offset to fetch."""
    records = reading(fetched, begin, aborted)
    told: Told = []
    for each in records:
        if isinstance(each, SkippedOffsets):
            told.append((each.offset, each.last, type(each.error) if each.error else None))
        else:
            told.append((each.offset, each.value))
    return [*told, records.next_fetch_offset]


def committed(base: int, *values: bytes, producer: int = 7) -> bytes:
    return packed(base, [(b"key", value, ()) for value in values], producer=producer, flags=TRANSACTIONAL)


@pytest.mark.parametrize("codec", CODECS)
def test_a_batch_is_read_whatever_its_codec(codec: str) -> None:
    values = [b"x" * 100] * 3
    assert read(batch(5, *values, codec=codec), begin=5) == [(5, values[0]), (6, values[1]), (7, values[2]), 8]


def test_the_reading_begins_in_the_middle_of_a_batch() -> None:
    assert read(batch(5, b"a", b"b", b"c"), begin=6) == [(6, b"b"), (7, b"c"), 8]


def test_markers_are_told_and_not_handed_over() -> None:
    fetched = committed(0, b"a") + marker(1, COMMIT, 7) + batch(2, b"b") + marker(3, COMMIT, 8)
    assert read(fetched) == [(0, b"a"), (1, 1, None), (2, b"b"), (3, 3, None), 4]


def test_aborted_records_are_told_and_not_handed_over() -> None:
    fetched = (
        committed(0, b"a", b"b")
        + batch(2, b"c")
        + committed(3, b"d", producer=8)
        + committed(4, b"e")
        + marker(5, ABORT, 7)
        + marker(6, COMMIT, 8)
        + committed(7, b"f")
        + marker(8, COMMIT, 7)
    )
    assert read(fetched, aborted=[(7, 0)]) == [
        (0, 1, None),
        (2, b"c"),
        (3, b"d"),
        (4, 4, None),
        (5, 5, None),
        (6, 6, None),
        (7, b"f"),
        (8, 8, None),
        9,
    ]


def test_what_a_compaction_took_of_a_batch_is_told_and_what_lies_before_it_is_not() -> None:
    emptied = sealed(batch(4, b"a")[:HEADER_BYTES], delta=2, count=0)
    assert read(emptied + batch(9, b"b")) == [(4, 6, None), (9, b"b"), 10]
    assert read(sealed(batch(4, b"a"), delta=2)) == [(4, b"a"), (5, 6, None), 7]


def test_a_header_whose_name_is_no_text_does_not_keep_a_record_from_being_read() -> None:
    raw = batch(3, b"a", b"b", headers=[("kind", b"1"), ("other", b"2")])
    spoilt = sealed(raw.replace(b"kind", b"\xe9t\xe9!", 1))
    assert read(spoilt, begin=3) == [(3, b"a"), (4, b"b"), 5]
    [first, second] = list(reading(spoilt, begin=3))
    assert first.headers == (("\\xe9t\\xe9!", b"1"), ("other", b"2"))
    assert second.headers == (("kind", b"1"), ("other", b"2"))
    assert (first.key, first.timestamp, first.topic, first.partition) == (b"key", 1_000, *PLACE)


def test_a_name_that_is_no_text_is_read_out_of_a_compressed_batch_too() -> None:
    raw = sealed(batch(3, b"a" * 100, headers=[("kind", b"1")]).replace(b"kind", b"\xe9t\xe9!", 1))
    gzipped = sealed(raw[:HEADER_BYTES] + zlib.compress(raw[HEADER_BYTES:], wbits=31), codec=CODECS["gzip"])
    assert read(gzipped, begin=3) == [(3, b"a" * 100), 4]


def test_a_record_that_contradicts_itself_is_isolated_alone() -> None:
    raw = batch(0, b"aaaa", b"bbbb", b"cccc")
    # The second record says that its key has 63 bytes.
    key_at = raw.index(b"key", raw.index(b"aaaa"))
    spoilt = sealed(raw[: key_at - 1] + b"\x7e" + raw[key_at:])
    assert read(spoilt) == [(0, b"aaaa"), (1, 1, BrokenRecord), (2, b"cccc"), 3]
    [_, skip, _] = list(reading(spoilt))
    assert b"bbbb" in skip.raw
    assert b"aaaa" not in skip.raw


def test_records_whose_lengths_lead_nowhere_are_isolated_to_the_end_of_their_batch() -> None:
    raw = batch(0, b"aaaa", b"bbbb", b"cccc")
    begin = raw.index(b"aaaa") + 5
    spoilt = sealed(raw[:begin] + b"\xfe" + raw[begin + 1 :])
    assert read(spoilt + batch(3, b"d")) == [(0, b"aaaa"), (1, 2, BrokenRecord), (3, b"d"), 4]


def test_a_batch_with_a_wrong_checksum_is_isolated_and_what_follows_is_fetched_anew() -> None:
    raw = batch(0, b"aaaa", b"bbbb")
    spoilt = raw.replace(b"aaaa", b"aaab")
    assert read(spoilt + batch(2, b"c")) == [(0, 1, BadChecksum), 2]
    [skip] = list(reading(spoilt))
    assert skip.raw == spoilt


@pytest.mark.parametrize(("follows", "last"), [(batch(4, b"c"), 3), (b"", 0)])
def test_a_header_that_contradicts_itself_is_not_believed_how_far_it_reaches(follows: bytes, last: int) -> None:
    spoilt = bytearray(batch(0, b"a", b"b"))
    spoilt[24] = 9
    assert read(bytes(spoilt) + follows) == [(0, last, BadChecksum), last + 1]


@pytest.mark.parametrize("codec", [5, 6, 7])
def test_a_batch_of_an_unknown_codec_is_isolated(codec: int) -> None:
    raw = sealed(batch(0, b"a", b"b"), codec=codec)
    assert read(raw + batch(2, b"c")) == [(0, 1, UnpackError), (2, b"c"), 3]


@pytest.mark.parametrize("codec", [1, 2, 3, 4])
def test_a_batch_that_is_no_data_of_its_codec_is_isolated(codec: int) -> None:
    raw = sealed(batch(0, b"a", b"b"), codec=codec)
    assert read(raw + batch(2, b"c"), begin=1) == [(1, 1, UnpackError), (2, b"c"), 3]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_bomb_is_isolated(codec: str) -> None:
    raw = batch(0, bytes(codecs.UNPACKED_MAX_BYTES), b"b", codec=codec)
    assert read(raw + batch(2, b"c")) == [(0, 1, UnpackError), (2, b"c"), 3]


def test_a_fetch_is_unpacked_no_further_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "UNPACKED_MAX_BYTES", 250)
    fetched = b"".join(batch(number, b"a" * 100, codec="gzip") for number in range(3))
    first = read(fetched)
    assert first == [(0, b"a" * 100), (1, b"a" * 100), 2]


def test_bytes_that_are_no_batch_are_isolated() -> None:
    short = b"\0\0\0\0\0\0\0\x05" + b"\0\0\0\x05" + b"\0" * 5
    assert read(short, begin=5) == [(5, 5, CorruptRecordException), 6]


def test_a_batch_that_is_cut_by_the_end_of_the_fetch_waits_for_the_next() -> None:
    assert read(batch(0, b"a") + batch(1, b"b")[:-1]) == [(0, b"a"), 1]


@pytest.mark.parametrize("delta", [0, 1, 3, 60, -1, -60])
def test_a_record_that_claims_an_offset_of_another_is_isolated(delta: int) -> None:
    """The broker checks the number of records in a batch, but not their offsets."""
    raw = batch(5, b"aaaa", b"bbbb", b"cccc")
    at = raw.index(b"key", raw.index(b"bbbb")) - 2  # the third's
    assert raw[at] == 2 << 1
    spoilt = sealed(raw[:at] + bytes([((delta << 1) ^ (delta >> 63)) & 0x7F]) + raw[at + 1 :])
    assert read(spoilt + batch(8, b"d"), begin=5) == [(5, b"aaaa"), (6, b"bbbb"), (7, 7, BrokenRecord), (8, b"d"), 9]


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_records_that_a_batch_counts_and_does_not_have_are_isolated(codec: str) -> None:
    spoilt = sealed(batch(0, b"a", codec=codec), delta=2, count=3)
    assert read(spoilt + batch(3, b"d")) == [(0, b"a"), (1, 2, BrokenRecord), (3, b"d"), 4]
    [_, skip] = list(reading(spoilt))
    assert skip.raw == spoilt


@pytest.mark.parametrize("begin", [0, 1])
def test_an_offset_has_the_same_record_wherever_the_reading_begins(begin: int) -> None:
    raw = batch(0, b"aaaa", b"bbbb")
    at = raw.index(b"key") - 2
    spoilt = sealed(raw[:at] + b"\x02" + raw[at + 1 :])  # the first claims the offset of the second
    assert read(spoilt, begin) == [(0, 0, BrokenRecord), (1, b"bbbb"), 2][begin:]


def test_bytes_behind_the_last_record_are_no_record() -> None:
    assert read(sealed(batch(0, b"a") + b"\0\0") + batch(1, b"b")) == [(0, b"a"), (1, b"b"), 2]


@given(
    codec=st.sampled_from(sorted(CODECS)),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=4)), min_size=1, max_size=5),
    begin=st.integers(0, 2),
)
@example("zstd", [(677, b"\xfc")], 0)  # an empty frame, and bytes after it
@example("none", [(1170, b"\x04")], 0)  # the second record claims the offset of the third
@example("none", [(1170, b"\x04")], 2)
@example("none", [(1192, b"\x00")], 2)  # the third claims that of the first, from which nobody reads
def test_whatever_a_batch_holds_each_offset_is_accounted_for_once(
    codec: str, changes: list[tuple[int, bytes]], begin: int
) -> None:
    raw = bytearray(batch(0, b"a" * 30, b"b", b"c" * 30, headers=[("name", b"value")], codec=codec))
    for place, put in changes:
        begins = HEADER_BYTES + place % (len(raw) - HEADER_BYTES)
        raw[begins : begins + len(put)] = put
    found = list(reading(sealed(bytes(raw)) + batch(3, b"d"), begin))
    covered = [offset for each in found for offset in range(each.offset, getattr(each, "last", each.offset) + 1)]
    assert covered == list(range(begin, 4))
    assert found[-1].value == b"d"
    assert all(each.error for each in found if isinstance(each, SkippedOffsets)), "a record went by without a word"
