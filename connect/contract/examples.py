"""Examples of every message, as values of its type. The outcomes are those of a ledger that decides the commands."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.ids import TicketCodes
from tables.ledger.ledger import Ledger
from tables.messages import commands
from tables.messages.answers import Answer, AnswerStatus, decided
from tables.messages.deliveries import Delivery, DeliveryStatus
from tables.messages.mail_jobs import job_for
from tables.messages.mail_requests import Resend
from tables.messages.operator_actions import OperatorAction
from tables.messages.outcomes import Outcome
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.messages.payment_requests import PaymentRequest, PaymentRequestKind
from tables.messages.purchase_upserts import upsert_of
from tables.messages.record_headers import (
    AnnouncementHeaders,
    AnswerHeaders,
    DeadLetterHeaders,
    JobHeaders,
    RequestHeaders,
    TraceHeaders,
)
from tables.messages.requests import HoldRequest
from tables.messages.row_changes import AccountRow, EventRow
from tables.messages.sections import DefineSection, PlanRow, PlanSeat
from tables.messages.statuses import EventStatus
from tables.offers import TicketOffer

START: Final = datetime(2030, 5, 1, 9, tzinfo=UTC)
START_MS: Final = int(START.timestamp() * 1000)
EVENT: Final = UUID("5e3d7a1c-0f3b-4c58-9a57-7d2f6c1b8e10")
STALLS: Final = UUID("0b9e2f64-3a1d-4e7c-8c55-1f6a9d3e7b21")
ADA: Final = UUID("a3f1c2d4-5b6e-4f70-8a91-b2c3d4e5f607")
SOLD: Final = UUID("c1d2e3f4-1111-4a5b-8c6d-7e8f90a1b2c3")
HELD: Final = UUID("c1d2e3f4-2222-4a5b-8c6d-7e8f90a1b2c3")
LATE: Final = UUID("c1d2e3f4-3333-4a5b-8c6d-7e8f90a1b2c3")
REFUSED: Final = UUID("c1d2e3f4-4444-4a5b-8c6d-7e8f90a1b2c3")
REQUEST: Final = UUID("d4e5f607-8192-4a3b-9c4d-5e6f708192a3")
TRACEPARENT: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
# The key of nobody's tickets.
CODES: Final = TicketCodes(b"\0" * 32)

DEFINITION: Final = commands.EventDefinition(
    title="Winterreise",
    status=EventStatus.ACTIVE,
    starts_at=datetime(2030, 5, 17, 18, tzinfo=UTC),
    ends_at=datetime(2030, 5, 17, 20, 30, tzinfo=UTC),
    time_zone="Europe/Vienna",
    venue="Konzerthaus",
    city="Wien",
    ticket_types=[
        commands.TicketTypeDefinition(id=STALLS, name="Stalls", price=Decimal("49.90"), currency="EUR", quantity=100)
    ],
)
SECTION: Final = DefineSection(
    event=EVENT,
    plan=1,
    sections=1,
    number=0,
    section="A",
    title="Parkett",
    focal=(500, 0),
    categories=[STALLS],
    rows=[PlanRow("12", [PlanSeat("7", 0, 480, 600), PlanSeat("8", 0, 520, 600)])],
)
COMMANDS: Final[tuple[commands.Command, ...]] = (
    SECTION,
    commands.DefineEvent(EVENT, 1, DEFINITION),
    commands.LimitHolds(max_seconds=3_600, max_tickets=20, cooldown_seconds=60),
    commands.Buy(EVENT, SOLD, ADA, [commands.TicketLine(STALLS, 2)]),
    commands.Hold(EVENT, HELD, ADA, [commands.TicketLine(STALLS, 2)], seconds=600),
    commands.Confirm(EVENT, HELD, ADA, REQUEST),
    commands.Hold(EVENT, LATE, ADA, [commands.TicketLine(STALLS, 1)]),
    commands.ExtendHold(EVENT, LATE, seconds=300),
    commands.Expire(EVENT, LATE, early=True),
    commands.Buy(EVENT, REFUSED, ADA, [commands.TicketLine(STALLS, 500)]),
    commands.Cancel(EVENT, HELD, ADA, REQUEST, [commands.TicketLine(STALLS, 1)]),
    commands.Cancel(EVENT, REFUSED, ADA),
    commands.Exchange(EVENT, SOLD, ADA, REQUEST, give=("A-12-7",), take=("A-12-8",)),
)
# The ledger itself writes these.
STEPS: Final[tuple[commands.Command, ...]] = (commands.EndPurchases(EVENT, 2, SOLD),)


def examples_of(kind: Any) -> list[Any]:
    """The examples of a type as JSON."""
    return [json.loads(msgspec.json.encode(each)) for each in examples() if type(each) is kind]


@cache
def examples() -> tuple[Struct, ...]:
    """All of them."""
    outcomes = tuple(_decided())
    [job, *_] = filter(None, map(job_for, outcomes))
    delivery = Delivery(job.id, job.kind, DeliveryStatus.SENT, job.event, job.purchase, job.account, START)
    rows = filter(None, map(upsert_of, outcomes))
    return (*COMMANDS, *STEPS, *outcomes, *rows, job, delivery, *_answers(outcomes[1]), *_others())


def _decided() -> Iterator[Outcome]:
    ledger = Ledger(lambda keys: [None] * len(keys), lambda *_: [], CODES)
    for offset, command in enumerate(COMMANDS):
        yield from ledger.apply(offset, START_MS + offset * 1_000, command).outcomes


def _answers(outcome: Outcome) -> Iterator[Struct]:
    yield HoldRequest(EVENT, HELD, ADA, [commands.TicketLine(STALLS, 2)])
    yield decided(SOLD, outcome)
    yield Answer(status=AnswerStatus.MALFORMED, detail="Expected `int` >= 1", field="lines[0].quantity")
    yield Answer(status=AnswerStatus.THROTTLED, purchase=SOLD, retry_at=START)
    yield RequestHeaders(traceparent=TRACEPARENT, correlation_id="4f1c")
    yield AnswerHeaders(request="ticket-requests.partner[2]@4711", correlation_id="4f1c")


def _others() -> Iterator[Struct]:
    yield commands.EventAnnouncement(EVENT, 1, DEFINITION)
    yield Resend(REQUEST, EVENT, SOLD, START)
    yield _event_row()
    yield from _payment()
    ada = {"first_name": "Ada", "last_name": "Byron", "email": "ada@example.com", "locale": "en"}
    yield AccountRow(id=ADA, lsn=26_914_000, revision=26_913_960, **ada)
    yield OperatorAction(START, "ada@console", "ledger skip", "the disk was lost", {"partition": 2, "first": 5})
    yield TraceHeaders(traceparent=TRACEPARENT)
    yield AnnouncementHeaders(traceparent=TRACEPARENT, id=str(REQUEST))
    yield JobHeaders(traceparent=TRACEPARENT, first_seen=str(START_MS))
    yield DeadLetterHeaders(
        dlq_topic="ticket-commands",
        dlq_partition="2",
        dlq_offset="4711",
        dlq_error="Object missing required field `lines`",
    )


def _payment() -> Iterator[Struct]:
    money: dict[str, Any] = {
        "amount": Decimal("99.80"),
        "currency": "EUR",
        "provider": "paper",
        "reference": "pay_8Jk2",
    }
    of: dict[str, Any] = {"event": EVENT, "purchase": HELD}
    yield PaymentEvent(id="ev_31", kind=PaymentEventKind.AUTHORIZED, at=START, request=REQUEST, **of, **money)
    order: dict[str, Any] = {"account": ADA, "request": REQUEST, "reason": "Seats behind a pillar", "currency": "EUR"}
    kind = PaymentEventKind.REFUND_ORDERED
    yield PaymentEvent(id=str(REQUEST), kind=kind, at=START, amount=Decimal("20.00"), **of, **order)
    yield PaymentRequest(id=REQUEST, kind=PaymentRequestKind.CAPTURE, account=ADA, deadline=START, **of, **money)


def _event_row() -> EventRow:
    stalls = DEFINITION.ticket_types[0]
    offer = TicketOffer(stalls.id, stalls.name, stalls.price, stalls.currency, stalls.quantity)
    return EventRow(
        id=EVENT,
        lsn=26_914_712,
        revision=26_914_680,
        organizer_id=ADA,
        organizer_name="Ada Byron",
        title=DEFINITION.title,
        venue=DEFINITION.venue,
        city=DEFINITION.city,
        country="AT",
        latitude=48.2,
        longitude=16.4,
        tags=["lied"],
        status=DEFINITION.status,
        starts_at=DEFINITION.starts_at,
        ends_at=DEFINITION.ends_at,
        time_zone=DEFINITION.time_zone,
        offers=msgspec.json.encode([offer]).decode(),
    )
