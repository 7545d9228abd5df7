"""Outcomes as bytes: complete, exact, and decoded as they were encoded."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.projections.purchases import purchase_row
from tables.bookings.records import index_change
from tables.bookings.unit_of_work import BookingsUnitOfWork
from tables.errors import MalformedRecord
from tables.messages.answers import decided, decode_told, encode_answer, encode_decided
from tables.messages.mail_jobs import decode_job, encode_job
from tables.messages.mail_requests import Resend
from tables.messages.outcomes import (
    Balance,
    EventFacts,
    MoneyAmount,
    Outcome,
    OutcomeKind,
    OutcomeLine,
    decode_checked_outcome,
    decode_outcome,
    encode_outcome,
)
from tables.messages.statuses import PurchaseStatus
from tests.unit.tables.ledger_driver import (
    ADA,
    BOB,
    EVENT,
    FACTS,
    FLOOR,
    NOW,
    LedgerDriver,
    codes,
    moment,
    purchase_id,
    ticket_type,
)
from tests.unit.tables.ledger_worker import LedgerWorker
from tests.unit.tables.random_logs import random_log

# The first and the last moment of a date are out of reach for UTC there.
ZONES = (timezone(timedelta(hours=14)), timezone(timedelta(hours=-14)))


def test_every_outcome_is_read_back_as_it_was_written() -> None:
    outcomes = [each for told in LedgerWorker().run(random_log(0, 300), 10).outcomes.values() for each in told]
    assert len({outcome.kind for outcome in outcomes}) == 8
    assert [decode_outcome(encode_outcome(outcome)) for outcome in outcomes] == outcomes


def test_an_outcome_is_json_with_amounts_as_text_and_times_with_their_zone(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    outcome = driver.buy(1, [(FLOOR, 2)])
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


def test_a_refusal_is_json_with_its_reason_and_figures(driver: LedgerDriver) -> None:
    driver.define(ticket_type(quantity=1))
    driver.at = NOW + 123
    assert json.loads(encode_outcome(driver.hold(1, [(FLOOR, 2)], account=BOB))) | {"fingerprint": "", "facts": {}} == {
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


def test_fields_of_a_newer_ledger_are_ignored(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    outcome = driver.buy(1)
    newer = json.loads(encode_outcome(outcome)) | {"seats": ["A1"]}
    assert decode_outcome(json.dumps(newer).encode()) == outcome


@pytest.mark.parametrize("decode", [decode_outcome, decode_told, decode_job])
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


ids = st.sampled_from([EVENT, ADA])
edges = [time.replace(tzinfo=zone) for time in (datetime.min, datetime.max) for zone in (None, UTC, *ZONES)]  # noqa: DTZ901
times = st.datetimes(timezones=st.sampled_from([None, UTC])) | st.sampled_from(edges)
prices = st.decimals() | st.sampled_from([Decimal(text) for text in ("1E+999999", "NaN", "sNaN", "-Infinity", "1E-9")])
numbers = st.integers(-(2**63), 2**64 - 1) | st.sampled_from([2**70, -(2**70)])
texts = st.text(max_size=3)
bought = st.lists(st.builds(OutcomeLine, ids, texts, numbers | st.just(1), prices), max_size=2).map(tuple)
outcomes = st.builds(
    Outcome,
    kind=st.sampled_from(OutcomeKind),
    event=ids,
    offset=numbers,
    at=times,
    purchase=st.none() | ids,
    account=st.none() | ids,
    status=st.none() | st.sampled_from(PurchaseStatus),
    lines=bought,
    left=bought,
    total=st.none() | st.builds(MoneyAmount, prices, texts),
    deadline=st.none() | times,
    facts=st.none() | st.builds(EventFacts, texts, texts, times, times, texts, texts, texts, numbers),
)


@given(st.none() | ids, outcomes)
def test_an_answer_repeats_what_the_ledger_wrote_as_if_it_were_decoded(purchase: UUID | None, told: Outcome) -> None:
    value = encode_outcome(replace(told, as_of=7, fingerprint="f", balance=(Balance(FLOOR, 3, 2, 1),)))
    try:
        expected = encode_answer(decided(purchase, decode_outcome(value)))
    except MalformedRecord:
        assume(False)
    assert encode_decided(purchase, decode_told(value)) == expected


@given(st.lists(outcomes, min_size=1, max_size=4))
def test_an_outcome_that_anybody_may_have_written_is_refused_or_booked_told_and_projected(told: list[Outcome]) -> None:
    table: dict[bytes, bytes] = {}
    unit = BookingsUnitOfWork(table.get, lambda prefix, after: _scan(table, prefix, after))
    for outcome in told:
        try:
            checked = decode_checked_outcome(encode_outcome(outcome))
            jobs = [unit.apply(checked)]
        except MalformedRecord:
            continue
        changed = unit.take_records()
        entries = [index_change(key, value) for key, value in changed.items()]
        table |= changed
        jobs += [unit.reminder(entry, 0) for _, entry in entries if entry]
        while (page := unit.announce(outcome.event, 500)) is not None:
            jobs += page
            table |= unit.take_records()
        jobs.append(unit.resend(Resend(ADA, outcome.event, ADA, checked.at)))
        for job in jobs:
            assert job is None or decode_job(encode_job(job)) == job
        purchase_row(checked)


@pytest.mark.parametrize(
    "changed",
    [
        {"at": datetime(2030, 1, 1)},  # noqa: DTZ001
        {"deadline": datetime(1970, 1, 1, 0, 1, tzinfo=UTC)},
        {"facts": replace(FACTS, starts_at=datetime.min.replace(tzinfo=ZONES[0]))},
        {"facts": replace(FACTS, ends_at=datetime.max.replace(tzinfo=ZONES[1]))},
        {"facts": replace(FACTS, title="x" * 2_000)},
        {"lines": (OutcomeLine(FLOOR, "x", 1, Decimal("NaN")),)},
        {"left": (OutcomeLine(FLOOR, "x", 1, Decimal("1E+999999")),)},
        {"lines": (OutcomeLine(FLOOR, "x", -1, Decimal(1)),)},
        {"balance": (Balance(FLOOR, 1, -1, 0),)},
        {"balance": (Balance(FLOOR, 1, 0, 2**53),)},
        {"lines": (OutcomeLine(FLOOR, "x", 1, Decimal("1E-999999999")),)},
        {"payment": MoneyAmount(Decimal("1E-999999999"), "EUR")},
        {"payment": MoneyAmount(Decimal("sNaN"), "EUR")},
        {"facts": replace(FACTS, version=2**62 + 1)},
        {"offset": 2**62 + 1},
        {"offset": -1},
        {"as_of": 2**62 + 1},
        {"as_of": -2},
    ],
    ids=str,
)
def test_figures_and_times_that_nobody_can_reckon_with_are_malformed(changed: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"kind": OutcomeKind.HELD, "event": EVENT, "offset": 1, "at": moment(NOW), "facts": FACTS}
    decode_checked_outcome(encode_outcome(Outcome(**fields)))
    field = next(iter(changed))
    with pytest.raises(MalformedRecord, match=rf"\$\.{ {'left': 'lines', 'as_of': 'asOf'}.get(field, field) }"):
        decode_checked_outcome(encode_outcome(Outcome(**fields | changed)))


def _scan(table: dict[bytes, bytes], prefix: bytes, after: bytes) -> list[tuple[bytes, bytes]]:
    return sorted(item for item in table.items() if item[0].startswith(prefix) and item[0] > after)
