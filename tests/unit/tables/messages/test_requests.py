"""Requests of other producers: what is read, and what the answer says of the rest."""

import json
from typing import Any
from uuid import UUID

import pytest

from tables.errors import MalformedRecord
from tables.messages.answers import AnswerStatus, decided, decode_answer, encode_answer, malformed
from tables.messages.commands import Cancel
from tables.messages.request_origins import ORIGIN_MAX_BYTES, RequestOrigin, decode_origin, encode_origin
from tables.messages.requests import FORBIDDEN_KINDS, HoldRequest, decode_request
from tests.unit.tables.ledger_driver import ADA, EVENT, FLOOR, LedgerDriver, purchase_id, ticket_type

KEY = str(EVENT).encode()
LINE = {"ticketType": str(FLOOR), "quantity": 2}
PURCHASE: dict[str, Any] = {
    "kind": "purchase",
    "event": str(EVENT),
    "purchase": str(purchase_id(1)),
    "account": str(ADA),
    "lines": [LINE],
}


def request(**changes: Any) -> bytes:
    return json.dumps({name: value for name, value in (PURCHASE | changes).items() if value is not None}).encode()


def refusal(value: bytes | None, key: bytes | None = KEY) -> tuple[str, str]:
    with pytest.raises(MalformedRecord) as caught:
        decode_request(key, value)
    answer = malformed(caught.value)
    assert decode_answer(encode_answer(answer)) == answer
    return answer.status.value, answer.field


def test_a_hold_may_leave_its_length_to_the_operator() -> None:
    read = decode_request(KEY, request(kind="hold"))
    assert isinstance(read, HoldRequest)
    assert read.seconds is None


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (request(event=None), "event"),
        (request(account="Ada"), "account"),
        (request(lines=[LINE | {"quantity": 0}]), "lines[0].quantity"),
        (request(lines=[{"quantity": 1}]), "lines[0].ticketType"),
        (request(kind="sell"), "kind"),
        (request(kind="cancel"), "request"),
        (request(kind="cancel", lines=None, seats=["A-1-1"]), "request"),
        (request(kind="hold", seconds=10**9), "seconds"),
        (b"nope", ""),
        (b"", ""),
        (None, ""),
        (b" " * 300_000, ""),
    ],
)
def test_the_answer_to_a_malformed_request_names_the_field(value: bytes | None, field: str) -> None:
    assert refusal(value) == ("malformed", field)


@pytest.mark.parametrize("asked", [{"lines": None}, {"request": str(UUID(int=1))}])
def test_a_cancel_of_all_and_one_with_a_request_are_read(asked: dict[str, Any]) -> None:
    assert isinstance(decode_request(KEY, request(kind="cancel", **asked)), Cancel)


@pytest.mark.parametrize("key", [None, b"", b"\xff", str(EVENT).upper().encode() + b"x"])
def test_the_key_must_be_the_event(key: bytes | None) -> None:
    assert refusal(request(), key) == ("malformed", "key")


@pytest.mark.parametrize("kind", sorted(FORBIDDEN_KINDS))
def test_a_producer_may_not_write_what_is_the_ledgers_own(kind: str) -> None:
    assert refusal(request(kind=kind)) == ("forbidden", "kind")


def test_two_outcomes_of_one_decision_have_the_same_answer() -> None:
    ledger = LedgerDriver(1)
    ledger.define(ticket_type())
    outcome = ledger.buy(1)
    answer = decided(purchase_id(7), outcome)
    assert answer.status is AnswerStatus.DECIDED
    assert answer.outcome is not None
    assert (answer.outcome.balance, answer.outcome.facts, answer.outcome.as_of) == ((), None, -1)
    assert decode_answer(encode_answer(answer)) == answer


def test_the_longest_origin_fits_its_header() -> None:
    origin = RequestOrigin("t" * 249, 255, 2**62, 2**62, UUID(int=2**128 - 1), b"c" * 256)
    encoded = encode_origin(origin)
    assert len(encoded) <= ORIGIN_MAX_BYTES
    assert decode_origin(encoded) == origin


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"x",
        b"\xc1",
        b"\x93\xa1t\xff\x00",
        encode_origin(RequestOrigin("t", 0, 0, 0))[:-1],
        b"\x97\xa1t\x00\x00\x00\xc0\xc0" + b"\x91" * 1_000 + b"\xc0",
    ],
    ids=lambda header: repr(header)[:40],
)
def test_a_header_of_somebody_else_is_no_origin(header: bytes) -> None:
    assert decode_origin(header) is None
