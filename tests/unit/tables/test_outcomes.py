"""Outcomes as bytes: complete, exact, and read back as they were written."""

import json
from collections.abc import Callable

import pytest

from tables.errors import MalformedRecord
from tables.jobs import decode_job
from tables.outcomes import decode_outcome, encode_outcome
from tests.unit.tables.logs import random_log
from tests.unit.tables.office import ADA, BOB, EVENT, FLOOR, NOW, Desk, codes, purchase_id, ticket_type
from tests.unit.tables.worker import Worker


def test_every_outcome_is_read_back_as_it_was_written() -> None:
    outcomes = [each for told in Worker().run(random_log(0, 300), 10).outcomes.values() for each in told]
    assert len({outcome.kind for outcome in outcomes}) == 8
    assert [decode_outcome(encode_outcome(outcome)) for outcome in outcomes] == outcomes


def test_an_outcome_is_json_with_amounts_as_text_and_times_with_their_zone(desk: Desk) -> None:
    desk.define(ticket_type())
    outcome = desk.buy(1, [(FLOOR, 2)])
    assert json.loads(encode_outcome(outcome)) == {
        "kind": "confirmed",
        "event": str(EVENT),
        "offset": 1,
        "at": "2030-03-17T17:46:40Z",
        "purchase": str(purchase_id(1)),
        "account": str(ADA),
        "status": "confirmed",
        "lines": [
            {
                "ticketType": str(FLOOR),
                "name": "type F1",
                "quantity": 2,
                "price": "49.90",
                "codes": list(codes(1, 0, 1)),
            }
        ],
        "total": {"amount": "99.80", "currency": "EUR"},
        "fingerprint": outcome.fingerprint,
        "facts": {
            "title": "A Night at the Opera",
            "status": "ACTIVE",
            "startsAt": "2030-03-18T17:46:40Z",
            "endsAt": "2030-03-18T18:46:40Z",
            "timeZone": "Europe/Rome",
            "venue": "La Scala",
            "city": "Milano",
            "version": 1,
        },
        "balance": [{"ticketType": str(FLOOR), "quantity": 10, "held": 0, "sold": 2}],
        "asOf": 1,
    }


def test_a_refusal_is_json_with_its_reason_and_figures(desk: Desk) -> None:
    desk.define(ticket_type(quantity=1))
    desk.at = NOW + 123
    assert json.loads(encode_outcome(desk.hold(1, [(FLOOR, 2)], account=BOB))) | {"fingerprint": "", "facts": {}} == {
        "kind": "rejected",
        "event": str(EVENT),
        "offset": 1,
        "at": "2030-03-17T17:46:40.123000Z",
        "purchase": str(purchase_id(1)),
        "account": str(BOB),
        "status": "rejected",
        "reason": "sold-out",
        "figures": {"limit": 1, "requested": 2, "ticketType": str(FLOOR), "available": 1, "held": 0},
        "fingerprint": "",
        "facts": {},
        "asOf": 1,
    }


def test_fields_of_a_newer_ledger_are_ignored(desk: Desk) -> None:
    desk.define(ticket_type())
    outcome = desk.buy(1)
    newer = json.loads(encode_outcome(outcome)) | {"seats": ["A1"]}
    assert decode_outcome(json.dumps(newer).encode()) == outcome


@pytest.mark.parametrize("decode", [decode_outcome, decode_job])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "the record has no value"),
        (b"", "the record has no value"),
        (b"{", "Input data was truncated"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"kind":"stolen"}', "Invalid enum value 'stolen' - at `$.kind`"),
        (b'{"kind":"held"}', "Object missing required field `"),
        (b'{"kind":"\xff"}', r"a text is not UTF-8: b'\xff'"),
        (b'{"x":' + b"[" * 100_000, "the JSON is nested too deep"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_cannot_be_read_is_malformed_and_says_why(
    decode: Callable[[bytes | None], object], value: bytes | None, message: str
) -> None:
    with pytest.raises(MalformedRecord) as caught:
        decode(value)
    assert str(caught.value).startswith(message)
