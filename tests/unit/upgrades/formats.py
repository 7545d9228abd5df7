"""Every persistent format: messages by topic, records by table."""

from collections.abc import Callable
from typing import Any, Final

from connect.topics import (
    ACCOUNT_ROWS,
    COMMANDS,
    DEFAULT_PRODUCERS,
    DELIVERIES,
    EVENT_ROWS,
    EVENT_STATUS,
    JOBS,
    OUTCOMES,
    PAYMENT_EVENTS,
    PAYMENT_REQUESTS,
    PURCHASE_UPSERTS,
    RESENDS,
    RETRIES,
    answers,
    requests,
)
from streams.mail.contacts import Contact, decode_contact
from tables.bookings.records import PURCHASE_MARK as BOOKING
from tables.bookings.records import Booking, EventNote, decode_booking, decode_note
from tables.gate.records import (
    AnsweredPage,
    QuotaRecord,
    RequestRecord,
    decode_page,
    decode_quota,
    decode_request_record,
)
from tables.ledger.hold_limits import HOLD_LIMITS_KEY, HoldLimits, decode_limits
from tables.ledger.purchase_records import PurchaseRecord, SeatedPurchase
from tables.ledger.records import (
    ACCOUNT_MARK,
    EVENT_MARK,
    PLAN_MARK,
    PURCHASE_MARK,
    SECTION_MARK,
    WATERMARK_KEY,
    AccountRecord,
    EventRecord,
    SectionPieceRecord,
    SectionRecord,
    Watermark,
    decode_account,
    decode_event,
    decode_piece,
    decode_purchase,
    decode_section,
    decode_watermark,
)
from tables.messages.announcements import announced
from tables.messages.answers import Answer, decode_answer
from tables.messages.commands import Command, decode_command
from tables.messages.deliveries import Delivery, decode_delivery
from tables.messages.encoding import json_decoder
from tables.messages.mail_jobs import Job, decode_job
from tables.messages.mail_requests import Resend, decode_resend
from tables.messages.outcomes import Outcome, decode_checked_outcome
from tables.messages.payment_events import PaymentEvent, decode_payment_event
from tables.messages.payment_requests import PaymentRequest, decode_payment_request
from tables.messages.purchase_upserts import PurchaseUpsert
from tables.messages.requests import Request, decode_value
from tables.messages.row_changes import AccountRow, EventRow, decode_row
from tables.offers import StockSnapshots, TicketOffer, decode_offers, decode_stock
from tables.payments.records import PaymentRecord, decode_payment

Decode = Callable[[bytes], Any]

MESSAGES: Final[dict[str, Decode]] = {
    COMMANDS: decode_command,
    OUTCOMES: decode_checked_outcome,
    PURCHASE_UPSERTS: json_decoder(PurchaseUpsert),
    EVENT_STATUS: announced,
    EVENT_ROWS: lambda value: _event(decode_row(value, EventRow)),
    ACCOUNT_ROWS: lambda value: decode_row(value, AccountRow),
    JOBS: decode_job,
    RETRIES: decode_job,
    RESENDS: decode_resend,
    DELIVERIES: decode_delivery,
    PAYMENT_EVENTS: decode_payment_event,
    PAYMENT_REQUESTS: decode_payment_request,
    **{requests(name): decode_value for name in DEFAULT_PRODUCERS},
    **{answers(name): decode_answer for name in DEFAULT_PRODUCERS},
}
_LEDGER: Final[dict[bytes, Decode]] = {
    ACCOUNT_MARK: decode_account,
    EVENT_MARK: decode_event,
    PLAN_MARK: decode_piece,
    PURCHASE_MARK: decode_purchase,
    SECTION_MARK: decode_section,
    HOLD_LIMITS_KEY[16:]: decode_limits,
    WATERMARK_KEY[16:]: decode_watermark,
}
_GATE: Final[dict[bytes, Decode]] = {
    b"a": decode_request_record,
    b"c": decode_request_record,
    b"p": decode_page,
    b"q": decode_quota,
}

TYPES: Final[tuple[Any, ...]] = (
    Command,
    Outcome,
    PurchaseUpsert,
    EventRow,
    AccountRow,
    list[TicketOffer],
    StockSnapshots,
    Job,
    Resend,
    Delivery,
    Request,
    Answer,
    PurchaseRecord,
    SeatedPurchase,
    EventRecord,
    AccountRecord,
    SectionPieceRecord,
    SectionRecord,
    HoldLimits,
    Watermark,
    Booking,
    EventNote,
    Contact,
    RequestRecord,
    QuotaRecord,
    AnsweredPage,
    PaymentEvent,
    PaymentRequest,
    PaymentRecord,
)


def read_record(table: str, key: bytes, value: bytes) -> Any:
    """Decode a record of a table, as its agent does."""
    if table == "contacts":
        return decode_contact(value)
    if table == "gate":
        return _GATE[key[:1]](value)
    if table == "payments":
        return decode_payment(value)
    kind = key[16:17]
    if table == "bookings":
        return decode_booking(value) if kind == BOOKING else decode_note(value)
    return _LEDGER[kind](value)


def _event(row: EventRow) -> tuple[Any, ...]:
    return row, decode_offers(row.offers), decode_stock(row.stock)
