"""Records are cut to fit, as measured by aiokafka, and the cuts are described."""

import hashlib

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.fitting import RECORD_OVERHEAD_BYTES, fit, size_of
from streams.runtime.kafka_types import Record
from tables.messages.dead_letters import Cut, RecordPart

content = st.none() | st.binary(max_size=300)
records = st.builds(Record, content, content, st.lists(st.tuples(st.text(max_size=40), content), max_size=8).map(list))


def produced(record: Record) -> int:
    """The size of a batch with this record alone, as the client makes it."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, 1)
    builder.append(0, None, record.key, record.value, list(record.headers))
    return len(builder.build())


def cut(part: RecordPart, content: bytes) -> Cut:
    return Cut(part, len(content), hashlib.sha256(content).hexdigest())


@given(records)
def test_no_batch_is_larger_than_its_record_is_said_to_be(record: Record) -> None:
    assert produced(record) <= size_of(record)


@given(records, st.integers(RECORD_OVERHEAD_BYTES, 1500))
def test_what_fits_stays_and_what_does_not_is_cut_to_its_beginning(record: Record, room: int) -> None:
    fitted, cuts = fit(record, room)

    assert size_of(fitted) <= room
    assert (fitted == record) == (not cuts) == (size_of(record) <= room)
    for whole, part in ((record.key, fitted.key), (record.value, fitted.value)):
        assert (part is None) == (whole is None)
        assert (whole or b"").startswith(part or b"")
    assert [name for name, _ in record.headers][: len(fitted.headers)] == [name for name, _ in fitted.headers]


def test_a_large_value_is_cut_and_the_small_parts_stay() -> None:
    record = Record(b"key", b"x" * 3_000_000, [("traceparent", b"00-1"), ("empty", None)])

    fitted, cuts = fit(record, 100_000)

    assert (fitted.key, fitted.headers) == (record.key, record.headers)
    assert 99_000 < len(fitted.value or b"") < 100_000
    assert cuts == (cut(RecordPart.VALUE, b"x" * 3_000_000),)


def test_large_headers_are_cut_and_the_value_stays() -> None:
    record = Record(None, b"value", [("first", None), ("large", b"y" * 2_000_000), ("after", b"z")])

    fitted, cuts = fit(record, 100_000)

    assert (fitted.key, fitted.value) == (None, b"value")
    [first, (name, value)] = fitted.headers
    assert (first, name) == (("first", None), "large")
    assert 99_000 < len(value or b"") < 100_000
    assert cuts == (cut(RecordPart.HEADERS, b"firstlarge" + b"y" * 2_000_000 + b"afterz"),)


def test_where_all_is_large_each_part_has_a_third() -> None:
    fitted, cuts = fit(Record(b"k" * 5000, b"v" * 5000, [("h" * 5000, b"")] * 2), RECORD_OVERHEAD_BYTES + 9000)

    assert (len(fitted.key or b""), len(fitted.value or b""), fitted.headers) == (3000, 3000, [])
    assert [each.part for each in cuts] == [RecordPart.KEY, RecordPart.HEADERS, RecordPart.VALUE]


@pytest.mark.parametrize("room", [0, 1, RECORD_OVERHEAD_BYTES])
def test_without_any_room_nothing_is_left(room: int) -> None:
    fitted, cuts = fit(Record(b"k", b"v", [("h", b"")]), room)

    assert fitted == Record(b"", b"", [])
    assert len(cuts) == 3
