"""Batches made by hand are what other clients read, byte for byte."""

from typing import Any

import pytest
from kafka.errors import CorruptRecordError
from kafka.record import MemoryRecords

from lab.chaos.record_batch import CODECS, RawRecord, record_batch

RECORDS = [
    RawRecord(b"key", b"value", [(b"a", b"1"), (b"a", None), (b"", b"")]),
    RawRecord(None, None),
    RawRecord(b"", b"x" * 100_000),
]


def read(raw: bytes) -> Any:
    batch: Any = MemoryRecords(raw).next_batch()
    assert batch.validate_crc()
    return batch


@pytest.mark.parametrize("codec", CODECS)
def test_another_client_reads_what_was_written(codec: str) -> None:
    records = list(read(record_batch(RECORDS, at_ms=1_700_000_000_000, codec=codec)))
    found = [
        RawRecord(each.key, each.value, [(name.encode(), text) for name, text in each.headers]) for each in records
    ]
    assert found == [record._replace(headers=list(record.headers)) for record in RECORDS]
    assert [each.offset for each in records] == [0, 1, 2]
    assert {each.timestamp for each in records} == {1_700_000_000_000}


def test_names_of_headers_may_be_any_bytes() -> None:
    with pytest.raises(CorruptRecordError, match="UnicodeDecodeError"):
        list(read(record_batch([RawRecord(b"k", b"v", [(b"\xe9t\xe9", b"x")])], at_ms=0)))
