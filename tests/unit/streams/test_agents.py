"""The pure parts of the agents: row changes, commands, dead letters, projected rows, postponed jobs."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from connect.partitioning import partition_of
from connect.topics import dead_letters
from streams.mail.mailer import _again
from streams.projections.purchases import purchase_row
from streams.runtime.failures import dead_letter
from streams.runtime.headers import first_seen
from streams.runtime.kafka_types import Record
from tables.errors import MalformedRecord
from tables.messages.announcements import command_of, definition_of
from tables.messages.mail_jobs import job_for
from tables.messages.outcomes import EventFacts, MoneyAmount, Outcome, OutcomeKind, OutcomeLine
from tables.messages.row_changes import AccountRow, EventRow, decode_event, decode_row
from tables.messages.statuses import PurchaseStatus

EVENT, PURCHASE, ACCOUNT, TYPE = (UUID(int=number) for number in range(1, 5))
FACTS = EventFacts(
    "Night", "ACTIVE", datetime(2030, 5, 17, 18, tzinfo=UTC), datetime(2030, 5, 17, 20, tzinfo=UTC), "UTC"
)
LINES = (OutcomeLine(TYPE, "Standing", 2, Decimal("10.50"), ("AAA", "BBB")),)


def outcome(kind: OutcomeKind = OutcomeKind.CONFIRMED, **more: Any) -> Outcome:
    fields: dict[str, Any] = {
        "event": EVENT,
        "purchase": PURCHASE,
        "account": ACCOUNT,
        "offset": 7,
        "at": datetime(2030, 1, 1, tzinfo=UTC),
        "status": PurchaseStatus.CONFIRMED,
        "lines": LINES,
        "total": MoneyAmount(Decimal("21.00"), "EUR"),
        "facts": FACTS,
    }
    return Outcome(kind=kind, **(fields | more))


def row(**more: Any) -> bytes:
    columns = {"id": str(EVENT), "title": "Mañana", "tags": ["Jazz"], "status": "ACTIVE", "__lsn": 5, "__op": "u"}
    return json.dumps(columns | more).encode()


@pytest.mark.parametrize(
    "value",
    [
        b"{",
        b"\xff",
        b'{"x":' * 100_000,
        b'{"id":"x","__lsn":1}',
        b'{"__lsn":1}',
        json.dumps({"id": str(EVENT)}).encode(),
    ],
    ids=["cut", "no text", "deep", "no id", "no event", "no position"],
)
def test_a_row_without_id_or_log_position_is_malformed(value: bytes) -> None:
    with pytest.raises(MalformedRecord):
        decode_row(value, EventRow)


def test_what_the_log_lacks_is_not_taken_for_a_value() -> None:
    """Somebody has changed the REPLICA IDENTITY of the table, and what is stored out of line did not change."""
    placeholder = "__debezium_unavailable_value"
    with pytest.raises(MalformedRecord, match="the log lacks a value"):  # and no deletion
        decode_event(row(description=placeholder))
    assert decode_event(row(description=placeholder, __deleted="true"))[0].is_delete
    with pytest.raises(MalformedRecord, match="the log lacks a value"):
        decode_row(row(email=placeholder), AccountRow)


def test_an_announcement_becomes_the_definition_of_an_event() -> None:
    times = {"startsAt": "2030-05-17T18:00:00Z", "endsAt": "2030-05-17T20:00:00Z", "timeZone": "UTC"}
    value = {"event": str(EVENT), "version": 3, "definition": {"title": "Night", "status": "ACTIVE"} | times}

    command = definition_of(json.dumps(value).encode())

    assert (command.event, command.version, command.definition.title) == (EVENT, 3, "Night")


@pytest.mark.parametrize("value", [None, b"", b"[]", b'{"event":"x"}', b"\xff", b'{"x":' * 100_000])
def test_an_announcement_that_defines_nothing_is_malformed(value: bytes | None) -> None:
    with pytest.raises(MalformedRecord):
        definition_of(value)


def test_an_announcement_whose_command_the_ledger_would_not_read_is_malformed() -> None:
    times = {"startsAt": "2030-05-17T18:00:00Z", "endsAt": "2030-05-17T20:00:00Z", "timeZone": "UTC"}
    kinds = [
        {"id": str(UUID(int=number)), "name": "🎫" * 500, "price": "1", "currency": "EUR", "quantity": 1}
        for number in range(200)
    ]
    definition = {"title": "Night", "status": "ACTIVE", "ticketTypes": kinds} | times
    value = json.dumps({"event": str(EVENT), "version": 3, "definition": definition}, ensure_ascii=False).encode()

    with pytest.raises(MalformedRecord, match="more than 262144"):
        command_of(value)


def test_a_dead_letter_keeps_the_record_and_says_why() -> None:
    message: Any = SimpleNamespace(topic="t", partition=1, offset=9, key=b"k", value=b"v", headers=[("trace", b"x")])

    made = dead_letter(message, ValueError("no such field"))

    assert (made.key, made.value) == (b"k", b"v")
    assert dict(made.headers) == {
        "trace": b"x",
        "dlq-topic": b"t",
        "dlq-partition": b"1",
        "dlq-offset": b"9",
        "dlq-error": b"ValueError: no such field",
    }
    assert dead_letters("ledger") == "dlq.ledger"


def test_an_outcome_becomes_a_row_with_what_is_left_after_a_partial_cancellation() -> None:
    left = (OutcomeLine(TYPE, "Standing", 1, Decimal("10.50"), ("AAA",)),)

    made = purchase_row(outcome(OutcomeKind.CANCELLED, left=left))

    assert (made["status"], made["total"], made["ledger_offset"]) == ("confirmed", Decimal("10.50"), 7)


def test_an_outcome_becomes_a_row_with_its_payment() -> None:
    paid = purchase_row(outcome(payment=MoneyAmount(Decimal("10.50"), "EUR"), reference="pi_1"))
    assert (paid["paid_worth"], paid["payment_reference"]) == (Decimal("10.50"), "pi_1")
    assert (purchase_row(outcome())["paid_worth"], purchase_row(outcome())["payment_reference"]) == (None, None)


def test_a_refused_purchase_asks_for_no_mail() -> None:
    assert job_for(outcome(OutcomeKind.REJECTED)) is None
    assert job_for(outcome(OutcomeKind.REFUSED)) is None


def test_an_answer_given_again_asks_for_no_second_mail() -> None:
    assert job_for(outcome(repeated=True)) is None


def test_a_job_that_is_put_back_remembers_when_it_came_first() -> None:
    job = job_for(outcome())
    assert job is not None
    headers = [("foreign", b"x" * 2_000_000), ("traceparent", b"00-1"), ("first-seen", None)]
    message: Any = SimpleNamespace(key=b"k", value=b"v", timestamp=1_000.5, headers=headers)

    once = _again(message, job)
    later: Any = SimpleNamespace(key=b"k", value=b"v", timestamp=2_000.0, headers=list(once.headers))

    assert first_seen(message) == first_seen(later) == 1_000.5
    known = [("traceparent", b"00-1"), ("first-seen", b"1000500")]
    assert _again(later, job) == once == Record(str(ACCOUNT).encode(), b"v", known)


@pytest.mark.parametrize(
    ("key", "hashed"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"abc", 479470107), (b"a-little-bit-long-string", -985981536)],
)
def test_keys_go_where_kafkas_own_client_puts_them(key: bytes, hashed: int) -> None:
    assert partition_of(key, 1_000) == (hashed & 0x7FFFFFFF) % 1_000
