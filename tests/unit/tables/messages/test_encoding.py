"""Times are converted both ways and clamped to the range of datetime; whole numbers are read as they are written."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest

from tables.errors import MalformedRecord
from tables.messages.encoding import (
    DATETIME_MAX_MS,
    DATETIME_MIN_MS,
    WHOLE_MAX_BYTES,
    decode_json,
    from_milliseconds,
    to_milliseconds,
)


class Counted(msgspec.Struct):
    count: int
    amount: Decimal = Decimal(0)
    degrees: float = 0.0


DECODER = msgspec.json.Decoder(Counted)


@pytest.mark.parametrize(
    ("written", "count"),
    [("1", 1), ("1.0", 1), ("1e2", 100), ("10E-1", 1), ("-2.00", -2), ("0.0e9", 0), ("1.5e17", 15 * 10**16)],
)
def test_a_whole_number_counts_however_it_is_written(written: str, count: int) -> None:
    value = f'{{"count": {written}, "amount": 0.10000000000000000001, "degrees": 47.5}}'.encode()
    assert decode_json(DECODER, value, MalformedRecord) == Counted(count, Decimal("0.10000000000000000001"), 47.5)


@pytest.mark.parametrize(
    "written", ["1.5", "1.0000000000000000000001", "1e18", "1e-9", "1e999999999999999999999", "1.5e-999999999999999999"]
)
def test_what_is_no_whole_number_is_named(written: str) -> None:
    with pytest.raises(MalformedRecord, match=r"at `\$.count`"):
        decode_json(DECODER, f'{{"count": {written}, "amount": 1.0}}'.encode(), MalformedRecord)


def test_a_large_value_is_not_read_twice() -> None:
    value = b'{"count": 1.0, "unknown": [' + b"1.5," * (WHOLE_MAX_BYTES // 4) + b"1]}"
    with pytest.raises(MalformedRecord, match="got `float`"):
        decode_json(DECODER, value, MalformedRecord)


@pytest.mark.parametrize("milliseconds", [DATETIME_MIN_MS, -1, 0, 1, 1_900_000_000_123, DATETIME_MAX_MS])
def test_a_time_survives_both_conversions(milliseconds: int) -> None:
    assert to_milliseconds(from_milliseconds(milliseconds)) == milliseconds


def test_a_time_is_in_utc_and_any_offset_is_accepted() -> None:
    time = datetime(2030, 1, 2, 3, 4, 5, 678000, timezone(timedelta(hours=2)))
    assert from_milliseconds(to_milliseconds(time)) == time
    assert from_milliseconds(0) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milliseconds", "year"), [(DATETIME_MIN_MS - 1, 1), (DATETIME_MAX_MS + 1, 9999), (2**62, 9999)]
)
def test_a_time_out_of_range_is_clamped(milliseconds: int, year: int) -> None:
    assert from_milliseconds(milliseconds).year == year
