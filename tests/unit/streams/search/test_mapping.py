"""Every row of ``event`` becomes a document, or a MalformedRecord that names the column."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from streams.search.mapping import document
from tables.errors import MalformedRecord
from tables.messages.row_changes import AccountRow, EventRow, decode_row

EVENT = UUID(int=1)
KIND = UUID(int=10)
PLAIN: dict[str, Any] = {
    "id": str(EVENT),
    "organizer_id": str(UUID(int=2)),
    "title": "Night",
    "status": "ACTIVE",
    "starts_at": "2030-07-01T18:00:00.000000Z",
    "ends_at": "2030-07-01T20:00:00.000000Z",
    "time_zone": "Europe/Vienna",
    "__lsn": 5,
}


def offers(**more: Any) -> str:
    return json.dumps([{"id": str(KIND), "name": "a", "price": "1", "currency": "EUR", "quantity": 1} | more])


def document_of(columns: dict[str, Any]) -> dict[str, Any]:
    return document(decode_row(json.dumps(PLAIN | columns).encode(), EventRow))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("ends_at", "9999-12-31T23:59:59.999999Z"),
        ("starts_at", "0001-01-01T00:00:00Z"),
        ("starts_at", "+294276-12-31T23:59:59Z"),
        ("starts_at", "infinity"),
        ("starts_at", "0044-03-15T12:00:00+00:00 BC"),
        ("starts_at", "2030-07-01T18:00:00"),
        ("starts_at", None),
        ("time_zone", "Mars/Phobos"),
        ("time_zone", "America"),
        ("time_zone", "/etc/passwd"),
        ("time_zone", "x" * 5_000),
        ("tags", ["a", None]),
        ("tags", [["a"], ["b"]]),
        ("latitude", "NaN"),
        ("latitude", 91),
        ("latitude", "Infinity"),
        ("__lsn", -1),
        ("__lsn", 2**63),
        ("offers", offers(price="NaN")),
        ("offers", offers(price="-Infinity")),
        ("offers", offers(quantity=2**80)),
        ("stock", json.dumps({str(KIND): [1, 2**90, -1]})),
        ("stock", json.dumps({str(KIND): [1, None, 1]})),
    ],
)
def test_a_value_that_no_document_can_tell_names_its_column(column: str, value: object) -> None:
    zone = "America/New_York" if value == "0001-01-01T00:00:00Z" else PLAIN["time_zone"]
    place = {"latitude": 1.0, "longitude": 1.0} if column == "latitude" else {}
    with pytest.raises(MalformedRecord, match=column):
        document_of({"time_zone": zone} | place | {column: value})


def test_two_types_of_which_one_has_no_price_are_named_and_compared_with_nothing() -> None:
    both = json.loads(offers()) + json.loads(offers(price="sNaN"))
    with pytest.raises(MalformedRecord, match="offers"):
        document_of({"offers": json.dumps(both)})


# Naive, as Hypothesis wants it.
LATE = datetime.fromisoformat("9999-12-01")
TEXT = some.text() | some.sampled_from(["", "\ufeff", "\u202e", "\ud800", "ﬃ", "İ" * 50, "\x00", "e\u0301"])
MOMENT = (
    some.datetimes(timezones=some.just(UTC)).map(lambda it: it.isoformat())
    | some.sampled_from(["infinity", "-infinity", "4713-01-01T00:00:00+00:00 BC", "294276-12-31T23:59:59+00:00", None])
    | some.datetimes(min_value=LATE, timezones=some.just(UTC)).map(lambda it: it.isoformat())
)
NUMBER = some.integers() | some.floats() | some.decimals().map(str) | some.sampled_from(["NaN", "Infinity", None])
TAGS = some.none() | some.lists(TEXT | some.none() | some.lists(TEXT, max_size=2), max_size=4)
ZONE = TEXT | some.sampled_from(
    ["UTC", "Pacific/Kiritimati", "America/New_York", "posixrules", "zone.tab", "..", "Asia"]
)
OFFER = some.fixed_dictionaries(
    {"id": some.uuids().map(str), "name": TEXT, "price": NUMBER, "currency": TEXT, "quantity": NUMBER}
)
JSON = NUMBER | TEXT | some.lists(NUMBER | TEXT, max_size=3) | some.dictionaries(TEXT, NUMBER, max_size=3)
ROW = some.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("organizer_name", "title", "description", "venue", "city", "country", "status"), TEXT),
        **dict.fromkeys(("starts_at", "ends_at"), MOMENT),
        **dict.fromkeys(("latitude", "longitude"), NUMBER),
        "tags": TAGS,
        "time_zone": ZONE,
        "offers": some.lists(OFFER, max_size=3).map(json.dumps) | JSON.map(json.dumps),
        "stock": some.dictionaries(some.uuids().map(str), some.lists(NUMBER, max_size=3)).map(json.dumps)
        | JSON.map(json.dumps),
        "__lsn": some.integers(),
    },
)


@given(ROW)
def test_any_row_becomes_a_document_or_a_malformed_record(columns: dict[str, Any]) -> None:
    try:
        made = document_of(columns)
    except MalformedRecord:
        return
    # What is made can be written, and says nothing that it was not told.
    assert msgspec.json.decode(msgspec.json.encode(made)) == made


@given(some.dictionaries(some.sampled_from(["id", "first_name", "email", "locale", "__lsn"]), JSON))
def test_any_account_is_read_or_malformed(columns: dict[str, Any]) -> None:
    try:
        row = decode_row(json.dumps({"id": str(EVENT), "__lsn": 1} | columns).encode(), AccountRow)
    except MalformedRecord:
        return
    msgspec.msgpack.encode([row.lsn, row.first_name, row.email, row.locale])
