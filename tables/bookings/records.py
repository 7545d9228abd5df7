"""The keys and records of the table ``bookings``: who has tickets of which event, and when reminders of holds are due.

A prefix scan finds an event's bookings. The index of reminders is derived from the records; an entry is a key without
a value: ``REMINDERS_PREFIX``, the due time (ms, 8 bytes, big endian), the booking's key.
"""

from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tables.messages.encoding import from_milliseconds, to_milliseconds
from tables.messages.mail_jobs import Job, job_id
from tables.messages.mail_kinds import MailKind
from tables.messages.mail_requests import PaymentNews, Resend
from tables.messages.outcomes import EventFacts, MoneyAmount, Outcome, OutcomeKind, OutcomeLine
from tables.messages.statuses import PurchaseStatus, before_postponement

EVENT_MARK: Final = b"e"
PURCHASE_MARK: Final = b"p"
REMINDERS_PREFIX: Final = bytes(16) + b"r"
# A reminder is due a fifth of the hold's length before its end, at most two minutes. A shorter hold than this has none.
REMINDER_MAX_LEAD_MS: Final = 120_000
REMINDED_HOLD_MIN_MS: Final = 5_000

OPEN_STATUSES: Final = frozenset({PurchaseStatus.HELD, PurchaseStatus.CONFIRMED})
BOOKED_KINDS: Final = frozenset(OutcomeKind) - {OutcomeKind.REJECTED, OutcomeKind.REFUSED, OutcomeKind.CHANGED}

_AT: Final = slice(len(REMINDERS_PREFIX), len(REMINDERS_PREFIX) + 8)


class Booking(Struct, frozen=True, array_like=True):
    """A purchase after its last outcome. ``since`` is the offset of its first one, ``due`` what a hold must be paid.

    ``bought`` are the lines of its last hold or sale, once ``lines`` has become another.
    """

    offset: int
    since: int
    account: UUID
    status: PurchaseStatus
    lines: tuple[OutcomeLine, ...]
    currency: str
    at: int
    deadline: int | None = None
    remind_at: int | None = None
    reminded: bool = False
    returned: int = 0
    due: Decimal = Decimal(0)
    bought: tuple[OutcomeLine, ...] = ()

    @property
    def total(self) -> MoneyAmount:
        """The worth of its lines."""
        return self.worth(self.lines)

    def worth(self, lines: tuple[OutcomeLine, ...]) -> MoneyAmount:
        """The worth of such lines in its currency."""
        return MoneyAmount(sum((line.price * line.quantity for line in lines), Decimal(0)), self.currency)


class Announcement(Struct, frozen=True, array_like=True):
    """An event's change while it is announced to the ticket holders, so far up to the key ``after``."""

    kind: MailKind
    before: EventFacts
    at: int
    after: bytes = b""


class EventNote(Struct, frozen=True, array_like=True):
    """The latest facts of an event, the announcement that is under way, and the facts before the last postponement.

    ``former`` is None again if the event then takes place at its former time.
    """

    offset: int
    facts: EventFacts
    announcing: Announcement | None = None
    former: EventFacts | None = None


class _BookingHead(Struct, array_like=True):
    offset: int


encode_booking = msgspec.msgpack.Encoder(uuid_format="bytes").encode
decode_booking = msgspec.msgpack.Decoder(Booking).decode
decode_note = msgspec.msgpack.Decoder(EventNote).decode
_decode_head = msgspec.msgpack.Decoder(_BookingHead).decode


def booking_offset(value: bytes) -> int:
    """The log offset of the command whose outcome last changed a record, of either kind."""
    return _decode_head(value).offset


def booking_prefix(event: UUID) -> bytes:
    """The common prefix of the keys of an event's bookings."""
    return event.bytes + PURCHASE_MARK


def booking_key(event: UUID, purchase: UUID) -> bytes:
    """The key of a purchase's booking."""
    return booking_prefix(event) + purchase.bytes


def note_key(event: UUID) -> bytes:
    """The key of an event's note."""
    return event.bytes + EVENT_MARK


def decode_booking_key(key: bytes) -> tuple[UUID, UUID]:
    """The event and the purchase of a booking's key."""
    return UUID(bytes=key[:16]), UUID(bytes=key[17:])


def index_change(key: bytes, value: bytes) -> tuple[tuple[bytes, ...], bytes | None]:
    """The change that storing a record makes to the index of reminders: the entries removed, the entry added."""
    if key[16:17] != PURCHASE_MARK:
        return (), None
    booking = decode_booking(value)
    if booking.remind_at is None:
        return (), None
    entry = REMINDERS_PREFIX + booking.remind_at.to_bytes(8, "big") + key
    due = booking.status is PurchaseStatus.HELD and not booking.reminded
    return ((), entry) if due else ((entry,), None)


def decode_reminder(entry: bytes) -> tuple[int, bytes]:
    """The due time (ms) of an entry, and the booking's key."""
    return int.from_bytes(entry[_AT], "big"), entry[_AT.stop :]


def former_facts(known: EventNote | None, facts: EventFacts) -> EventFacts | None:
    """The facts before the last postponement, once ``facts`` are the latest ones."""
    if known is None:
        return None
    former, latest = known.former, known.facts
    is_as_before = former is not None and former.starts_at == facts.starts_at
    return before_postponement(latest, former, (latest.status, facts.status), is_as_before=is_as_before)


def booking_after(known: Booking | None, outcome: Outcome) -> Booking | None:
    """The booking after ``outcome``; None if the outcome concerns none."""
    if outcome.kind not in BOOKED_KINDS or outcome.account is None or outcome.status is None:
        return None
    if known is not None and outcome.offset <= known.offset:
        return known
    at = to_milliseconds(outcome.at)
    deadline = None if outcome.deadline is None else to_milliseconds(outcome.deadline)
    lines = _lines_after(outcome)
    bought = _bought_after(known, outcome, lines)
    return Booking(
        offset=outcome.offset,
        since=known.since if known else outcome.offset,
        account=outcome.account,
        status=outcome.status,
        lines=lines,
        currency=outcome.total.currency if outcome.total else "",
        at=at,
        deadline=deadline,
        # Later records keep it, so that each of them has the hold's entry.
        remind_at=known.remind_at if known else _remind_at(at, deadline),
        reminded=known.reminded if known else False,
        returned=outcome.returned,
        due=outcome.payment.amount if outcome.payment and outcome.status is PurchaseStatus.HELD else Decimal(0),
        bought=() if bought == lines else bought,
    )


def reminder_job(key: bytes, booking: Booking, note: EventNote) -> Job:
    """The mail that a hold is about to end."""
    event, purchase = decode_booking_key(key)
    number = job_id(event, purchase, booking.offset, MailKind.HOLD_ENDING, booking.account)
    job = _job(key, booking, note, MailKind.HOLD_ENDING, number)
    return replace(job, at=from_milliseconds(booking.remind_at or booking.at))


def announcement_job(key: bytes, booking: Booking, note: EventNote) -> Job | None:
    """The mail that announces an event's change; None if the booking has no tickets or was made afterwards."""
    change = note.announcing
    if change is None or booking.status not in OPEN_STATUSES or booking.since > note.offset:
        return None
    event, purchase = decode_booking_key(key)
    number = job_id(event, purchase, note.offset, change.kind, booking.account)
    job = _job(key, booking, note, change.kind, number)
    return replace(job, before=change.before, at=from_milliseconds(change.at))


def resend_job(resend: Resend, booking: Booking, note: EventNote) -> Job | None:
    """A purchase's mail again, for its current state, or the one about its payment; None if it has no tickets."""
    if resend.payment is not None:
        return _payment_job(resend, resend.payment, booking, note)
    if booking.status not in OPEN_STATUSES:
        return None
    kind = MailKind.HELD if booking.status is PurchaseStatus.HELD else MailKind.CONFIRMED
    job = _job(booking_key(resend.event, resend.purchase), booking, note, kind, resend.id)
    return replace(job, at=resend.at)


def _payment_job(resend: Resend, news: PaymentNews, booking: Booking, note: EventNote) -> Job | None:
    """With the tickets that were to be paid, whatever became of them, so that a repeat of the mail says the same."""
    job = _job(booking_key(resend.event, resend.purchase), booking, note, news.kind, resend.id)
    deadline = news.deadline or job.deadline
    if news.kind is MailKind.PAYMENT_DECLINED and deadline is None:
        return None
    lines = booking.bought or booking.lines
    return replace(
        job,
        at=resend.at,
        account=resend.account or booking.account,
        lines=lines,
        total=booking.worth(lines),
        deadline=deadline,
        payment=news.amount,
        payment_reference=news.reference,
    )


def _job(key: bytes, booking: Booking, note: EventNote, kind: MailKind, number: UUID) -> Job:
    event, purchase = decode_booking_key(key)
    return Job(
        id=number,
        kind=kind,
        account=booking.account,
        event=event,
        purchase=purchase,
        at=from_milliseconds(booking.at),
        facts=note.facts,
        before=note.former,
        lines=booking.lines,
        returned=booking.returned,
        total=booking.total,
        deadline=None if booking.deadline is None else from_milliseconds(booking.deadline),
        payment=MoneyAmount(booking.due, booking.currency) if booking.due else None,
    )


def _lines_after(outcome: Outcome) -> tuple[OutcomeLine, ...]:
    if outcome.kind is OutcomeKind.CANCELLED:
        return outcome.left
    return outcome.lines if outcome.status in OPEN_STATUSES else ()


def _bought_after(known: Booking | None, outcome: Outcome, lines: tuple[OutcomeLine, ...]) -> tuple[OutcomeLine, ...]:
    if known is None:
        return outcome.lines
    return lines if known.status is PurchaseStatus.HELD and lines else known.bought or known.lines


def _remind_at(at: int, deadline: int | None) -> int | None:
    if deadline is None or deadline - at < REMINDED_HOLD_MIN_MS:
        return None
    return deadline - min(REMINDER_MAX_LEAD_MS, (deadline - at) // 5)
