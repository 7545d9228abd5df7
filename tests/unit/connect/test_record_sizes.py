"""The largest record that each producer can write fits its topic, and its consumer decodes it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from api.organizing.changes import announcement, check_size, new_listing
from api.problems import Refused
from api.schemas.event import NewEvent
from connect.topics import RECORD_MAX_BYTES
from streams.mail.contacts import _contact, _encode
from streams.runtime.app import PRODUCE_BATCH_MAX_BYTES
from streams.runtime.fitting import size_of
from streams.runtime.kafka_types import Record
from tables.bookings.records import note_key
from tables.bookings.unit_of_work import BookingsUnitOfWork
from tables.errors import MalformedRecord
from tables.ledger.decisions import REMOVED_TYPES_MAX
from tables.ledger.ledger_records import LET_GO_MAX_TYPES
from tables.ledger.records import (
    AccountRecord,
    Holding,
    TicketsOut,
    account_key,
    decode_event,
    encode_record,
    event_key,
)
from tables.messages.announcements import command_of
from tables.messages.commands import (
    COMMAND_MAX_BYTES,
    Buy,
    Cancel,
    Command,
    DefineEvent,
    EndPurchases,
    Hold,
    TicketLine,
    TicketTypeDefinition,
    decode_command,
    encode_command,
)
from tables.messages.deliveries import Delivery, DeliveryStatus, encode_delivery
from tables.messages.encoding import VALUE_MAX_BYTES, json_decoder
from tables.messages.mail_jobs import Job, decode_job, encode_job
from tables.messages.mail_kinds import MailKind
from tables.messages.outcomes import Outcome, OutcomeKind, OutcomeLine, decode_outcome, encode_outcome
from tables.messages.purchase_upserts import PurchaseUpsert, encode_upsert, upsert_key, upsert_of
from tables.messages.reasons import Reason
from tables.messages.row_changes import AccountRow, EventRow, decode_row
from tables.messages.statuses import PurchaseStatus
from tests.unit.tables.ledger_driver import ADA, EVENT, LedgerDriver, definition, purchase_id, ticket_type

# The character that takes most bytes in JSON, of those that are let in.
WIDE = "\x01"
ID = UUID(int=2**128 - 1)
PLACE = 2**62
KINDS = [UUID(int=2**128 - number) for number in range(1, 201)]
TRACE = [("traceparent", b"0" * 55), ("first-seen", b"9" * 20)]
LATE = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
LARGEST = {"max_per_order": 10_000_000, "max_per_account": 10_000_000}


def kinds(count: int, letters: int) -> list[TicketTypeDefinition]:
    """Ticket types with every field but the name at its limit."""
    price, times = (
        Decimal("9999999999.9999"),
        {"sale_starts_at": datetime(2000, 1, 1, tzinfo=UTC), "sale_ends_at": LATE},
    )
    return [ticket_type(key, 10_000_000, name=WIDE * letters, price=price, **times, **LARGEST) for key in KINDS[:count]]


def event(count: int, letters: int, version: int = PLACE) -> DefineEvent:
    """An event with every field but the names of its ticket types at its limit."""
    texts = dict.fromkeys(("title", "venue", "city"), WIDE * 500)
    limits = LARGEST | {"time_zone": "Z" * 64, "capacity": 10_000_000, "organizer": ID}
    return DefineEvent(EVENT, version, definition(*kinds(count, letters), ends_at=LATE, **texts, **limits))


def largest_event() -> DefineEvent:
    """The largest definition that the ledger decodes."""
    fits = [
        made for letters in range(200, 230) if len(encode_command(made := event(200, letters))) <= COMMAND_MAX_BYTES
    ]
    return fits[-1] if fits else event(200, 150)


def fits(key: bytes | None, value: bytes, most: int = VALUE_MAX_BYTES) -> bool:
    """Whether a record with our headers fits its topic, and is decoded."""
    return len(value) <= most and size_of(Record(key, value, TRACE)) <= RECORD_MAX_BYTES


@pytest.fixture(scope="module")
def told() -> list[Outcome]:
    """The outcomes of the largest order: bought, a ticket of each line given back, all given back."""
    driver = LedgerDriver(1)
    driver.send(event(50, 500))
    lines = [TicketLine(key, 100) for key in KINDS[:50]]
    some = [TicketLine(key, 50) for key in KINDS[:50]]
    commands: list[Command] = [
        Buy(EVENT, ID, ADA, lines),
        Cancel(EVENT, ID, ADA, ID, some),
        Cancel(EVENT, ID, ADA, purchase_id(1)),
    ]
    told = [outcome for command in commands for outcome in driver.send_all(command)]
    assert [outcome.kind for outcome in told] == [OutcomeKind.CONFIRMED, OutcomeKind.CANCELLED, OutcomeKind.CANCELLED]
    for key, value in driver.table.items():
        assert fits(key, value), key
    return told


def test_a_batch_of_many_records_and_each_record_fit_every_topic() -> None:
    assert PRODUCE_BATCH_MAX_BYTES <= RECORD_MAX_BYTES
    assert COMMAND_MAX_BYTES <= VALUE_MAX_BYTES < RECORD_MAX_BYTES // 2 + 1


@pytest.mark.parametrize(
    "command",
    [
        Buy(ID, ID, ID, [TicketLine(ID, 1_000)] * 50),
        Hold(ID, ID, ID, [TicketLine(ID, 1_000)] * 50, 86_400),
        Cancel(ID, ID, ID, ID, [TicketLine(ID, 1_000)] * 50),
        EndPurchases(ID, PLACE, ID, 1_000),
        largest_event(),
    ],
    ids=lambda command: type(command).__name__,
)
def test_commands_fit(command: Any) -> None:
    value = encode_command(command)
    assert fits(str(ID).encode(), value, COMMAND_MAX_BYTES)
    assert decode_command(value) == command


def test_an_event_of_the_api_fits_its_row_its_announcement_and_the_ledger() -> None:
    listing = _listing("a" + WIDE * 129)
    check_size(listing)
    payload = announcement(listing)
    # The outbox keeps jsonb, which PostgreSQL writes with blanks; a text of it in a row of JSON has its quotes escaped.
    sent = json.dumps(json.loads(payload), ensure_ascii=False).encode()
    assert fits(str(ID).encode(), sent)
    command_of(sent)
    row = _row(listing)
    assert fits(None, row)
    decode_row(row, EventRow)


def test_an_event_that_the_ledger_would_not_read_is_refused_by_the_api() -> None:
    listing = _listing("a" + WIDE * 199)
    with pytest.raises(Refused) as refusal:
        check_size(listing)
    [fault] = refusal.value.faults
    assert fault.pointer == "/ticketTypes"
    assert fault.detail.endswith(f"at most {COMMAND_MAX_BYTES} can be sold")
    with pytest.raises(MalformedRecord):
        command_of(announcement(listing))


def test_an_account_fits_its_row_and_its_contact() -> None:
    texts = {"first_name": WIDE * 100, "last_name": WIDE * 100, "email": "e" * 254, "locale": "l" * 35}
    row = json.dumps({"id": str(ID), "__lsn": PLACE, "__deleted": "false"} | texts).encode()
    assert fits(None, row)
    assert fits(str(ID).encode(), _encode(_contact(decode_row(row, AccountRow))))


def test_outcomes_fit(told: list[Outcome]) -> None:
    for outcome in told:
        value = encode_outcome(outcome)
        assert fits(str(EVENT).encode(), value)
        assert decode_outcome(value) == outcome
        assert len(value) > 150_000


def test_rows_of_purchases_fit(told: list[Outcome]) -> None:
    for outcome in told:
        upsert = upsert_of(outcome)
        assert upsert is not None
        value = encode_upsert(upsert)
        assert fits(upsert_key(upsert.payload), value)
        assert json_decoder(PurchaseUpsert)(value) == upsert


def test_a_row_of_the_largest_outcome_that_is_read_fits() -> None:
    line = OutcomeLine(ID, '"', 1, Decimal(1))
    outcome = Outcome(kind=OutcomeKind.CONFIRMED, event=ID, offset=1, at=LATE, purchase=ID, account=ID)
    outcome = replace(outcome, status=PurchaseStatus.CONFIRMED, lines=(line,) * 5_700)
    assert VALUE_MAX_BYTES * 0.9 < len(encode_outcome(outcome)) < VALUE_MAX_BYTES
    upsert = upsert_of(outcome)
    assert upsert is not None
    assert size_of(Record(upsert_key(upsert.payload), encode_upsert(upsert), TRACE)) < RECORD_MAX_BYTES


def test_jobs_and_bookings_fit(told: list[Outcome]) -> None:
    table: dict[bytes, bytes] = {}
    jobs = list(_jobs(told, table))
    assert {job.kind for job in jobs} >= {MailKind.CONFIRMED, MailKind.CANCELLED}
    for key, value in table.items():
        assert fits(key, value)
    for job in jobs:
        value = encode_job(job)
        assert fits(str(job.account).encode(), value)
        assert decode_job(value) == job
        delivery = Delivery(job.id, job.kind, DeliveryStatus.FAILED, job.event, ID, job.account, LATE)
        assert fits(str(job.account).encode(), encode_delivery(delivery))


def test_records_of_events_and_accounts_fit() -> None:
    driver = LedgerDriver(1)
    driver.send(largest_event())
    record = decode_event(driver.table[event_key(EVENT)])
    full = encode_record(
        replace(record, offset=PLACE, stock=[TicketsOut(key, 10_000_000, 10_000_000) for key in KINDS])
    )
    assert fits(event_key(EVENT), full)
    holding = Holding(10_000_000, PLACE, [(key, PLACE) for key in KINDS[:LET_GO_MAX_TYPES]])
    account = AccountRecord(PLACE, [(key, 10_000_000) for key in KINDS], holding)
    assert fits(account_key(EVENT, ID), encode_record(account))


def test_records_stay_small_however_many_sold_ticket_types_are_removed() -> None:
    driver = LedgerDriver(1_000)
    rounds = [[UUID(int=number * 1_000 + each) for each in range(200)] for number in range(1, 9)]
    refused = []
    for version, types in enumerate(rounds, 1):
        driver.send(DefineEvent(EVENT, version, definition(*(ticket_type(each, 100) for each in types))))
        for each in types:
            [outcome] = driver.send_all(Buy(EVENT, each, ADA, [TicketLine(each, 1)]))
            refused += [] if outcome.kind is OutcomeKind.CONFIRMED else [(outcome.reason, outcome.figures)]
        driver.store()

    full = {"removedTicketTypes": REMOVED_TYPES_MAX + 200, "limit": REMOVED_TYPES_MAX}
    assert refused == [(Reason.EVENT_NOT_OPEN, full)] * 400
    assert len(driver.table[event_key(EVENT)]) < 128 * 1024
    assert len(driver.table[account_key(EVENT, ADA)]) < 64 * 1024


def _listing(name: str) -> Any:
    """An event of the API with every field at its limit, and ticket types of that name."""
    price = {"amount": "9999999999.99", "currency": "EUR"}
    times = {"saleStartsAt": "2000-01-01T00:00:00.000001Z", "saleEndsAt": "2099-12-31T23:59:59.999999Z"}
    limits = {"maxPerOrder": 10_000_000, "maxPerAccount": 10_000_000}
    kind = {"name": name, "price": price, "quantity": 10_000_000, "position": 10_000} | times | limits
    body = {
        "title": "a" + WIDE * 199,
        "description": WIDE * 20_000,
        "venue": "a" + WIDE * 199,
        "city": "a" + WIDE * 99,
        "country": "AT",
        "latitude": -12.345678901234567,
        "longitude": -123.45678901234567,
        "tags": [f"{number:02}".ljust(50, WIDE) for number in range(20)],
        "startsAt": "2099-12-30T23:59:59.999999Z",
        "endsAt": "2099-12-31T23:59:59.999999Z",
        "timeZone": "America/Argentina/ComodRivadavia",
        "capacity": 10_000_000,
        "ticketTypes": [kind] * 200,
    }
    ids = iter(UUID(int=2**128 - number) for number in range(1, 1000))
    return new_listing(NewEvent.model_validate(body | limits), ID, lambda: next(ids), datetime(2030, 1, 1, tzinfo=UTC))


def _row(listing: Any) -> bytes:
    """A row of ``event`` as Debezium sends it."""
    made = listing.event
    offers = [
        {"id": str(each.id), "name": each.name, "price": "9999999999.9999", "currency": "EUR", "quantity": 10_000_000}
        for each in listing.tickets
    ]
    columns = {
        "id": str(made.id),
        "organizer_id": str(ID),
        "organizer_name": WIDE * 201,
        "starts_at": "2099-12-31T23:59:59.999999Z",
        "ends_at": "2099-12-31T23:59:59.999999Z",
        "offers": json.dumps(offers, ensure_ascii=False),
        "stock": json.dumps({str(each.id): [PLACE, 10_000_000, 10_000_000] for each in listing.tickets}),
        "traceparent": "0" * 55,
        "__op": "u",
        "__deleted": "false",
        "__lsn": PLACE,
    }
    told = made.model_dump(
        mode="json", include={"title", "description", "venue", "city", "tags", "status", "time_zone"}
    )
    return json.dumps(told | columns, ensure_ascii=False).encode()


def _jobs(told: list[Outcome], table: dict[bytes, bytes]) -> Iterator[Job]:
    """The mails of these outcomes and of a change of their event, and the records in the table."""

    def scan(prefix: bytes, after: bytes) -> list[tuple[bytes, bytes]]:
        return sorted(item for item in table.items() if item[0].startswith(prefix) and item[0] > after)

    unit = BookingsUnitOfWork(table.get, scan)
    for outcome in told:
        job = unit.apply(outcome)
        table |= unit.take_records()
        if job:
            yield job
        facts = outcome.facts
        assert facts is not None
        for version in range(2):
            moved = replace(facts, venue=WIDE * 499 + str(version), version=PLACE + 1 + version)
            changed = Outcome(kind=OutcomeKind.CHANGED, event=EVENT, offset=PLACE + version, at=LATE, facts=moved)
            assert unit.apply(changed) is None
            table |= unit.take_records()
        while (page := unit.announce(EVENT, 500)) is not None:
            table |= unit.take_records()
            yield from page
        table.pop(note_key(EVENT))
