"""Our headers on a dead letter are read from the end, so the record's own headers never pass for ours."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.messages.dead_letters import (
    ERROR_MAX_BYTES,
    INFO_MAX_BYTES,
    Cut,
    DeadLetterInfo,
    Header,
    Origin,
    RecordPart,
    decode_info,
    encode_info,
)

HOSTILE = ("dlq-topic", "dlq-partition", "dlq-offset", "dlq-error", "dlq-details", "dlq-done", "traceparent", "")
HASH = hashlib.sha256(b"").hexdigest()

offsets = st.integers(0, 2**63 - 1)
headers = st.lists(st.tuples(st.sampled_from(HOSTILE) | st.text(), st.none() | st.binary(max_size=40)), max_size=12)
said = st.builds(
    DeadLetterInfo,
    st.builds(
        Origin, st.text(max_size=60).filter(lambda text: text.isprintable()), offsets, offsets, st.none() | offsets
    ),
    st.text(max_size=300).filter(lambda text: text.encode(errors="ignore").decode() == text),
    st.lists(st.builds(Cut, st.sampled_from(RecordPart), offsets, st.just(HASH)), max_size=3).map(tuple),
)


@given(headers, said)
def test_whatever_a_record_carries_its_headers_stay_its_own(own: list[Header], ours: DeadLetterInfo) -> None:
    assert decode_info([*own, *encode_info(ours)]) == (ours, own)


@pytest.mark.parametrize("before", range(4))
def test_an_error_is_cut_between_two_characters(before: int) -> None:
    """A header's value is UTF-8, as the contract says, and others may decode it strictly."""
    error = dict(encode_info(DeadLetterInfo(Origin("t", 0, 0), "x" * before + "\U0001f4a5" * ERROR_MAX_BYTES)))[
        "dlq-error"
    ]
    assert error is not None
    assert ERROR_MAX_BYTES - 4 < len(error.decode().encode()) <= ERROR_MAX_BYTES


@given(headers)
def test_headers_that_anybody_may_write_raise_nothing(own: list[Header]) -> None:
    found = decode_info(own)
    assert found is None or found[1] == own[: len(found[1])]


@pytest.mark.parametrize(
    "changed",
    [
        {"dlq-partition": b"x"},
        {"dlq-partition": None},
        {"dlq-offset": b"-1"},
        {"dlq-offset": b"9" * 5000},
        {"dlq-topic": b"\xff"},
        {"dlq-details": None},
        {"dlq-details": b"[]"},
        {"dlq-details": b"[" * 100_000},
        {"dlq-details": b'{"cut":[{"part":"value"}]}'},
        {"dlq-details": b'{"cut":[{"part":"other","bytes":1,"sha256":""}]}'},
        {"dlq-details": b'{"cut":3}'},
        {"dlq-details": b'{"last":"x"}'},
        {"dlq-details": b'{"last":1e999}'},
        {"dlq-details": b'{"cut":[{"part":"key","bytes":Infinity,"sha256":""}]}'},
    ],
    ids=str,
)
def test_headers_that_only_look_like_ours_are_none(changed: dict[str, Any]) -> None:
    ours = DeadLetterInfo(Origin("t", 1, 9), "Error: why", (Cut(RecordPart.VALUE, 5, HASH),))
    assert decode_info([(name, changed.get(name, value)) for name, value in encode_info(ours)]) is None


def test_a_letter_that_is_the_whole_record_has_four_headers_of_ours_as_ever() -> None:
    assert encode_info(DeadLetterInfo(Origin("t", 1, 9), "ValueError: why")) == [
        ("dlq-topic", b"t"),
        ("dlq-partition", b"1"),
        ("dlq-offset", b"9"),
        ("dlq-error", b"ValueError: why"),
    ]


def test_what_was_cut_is_told_with_its_place_length_and_hash() -> None:
    [*_, (name, details)] = encode_info(
        DeadLetterInfo(Origin("t", 1, 9), "E: why", (Cut(RecordPart.VALUE, 3_000_000, HASH),))
    )
    assert name == "dlq-details"
    assert details == (
        b'{"record": "t[1]@9", "last": null, "cut": [{"part": "value", "bytes": 3000000, "sha256": "%b"}]}'
        % HASH.encode()
    )


def test_our_headers_have_a_bound_and_take_a_reason_that_is_no_text() -> None:
    cuts = tuple(Cut(part, 2**62, HASH) for part in RecordPart)
    ours = encode_info(DeadLetterInfo(Origin("t" * 249, 2**31, 2**62, 2**62), "\ud800" * 5000, cuts))
    assert sum(len(name) + len(value or b"") + 10 for name, value in ours) <= INFO_MAX_BYTES
    assert decode_info(ours) is not None
