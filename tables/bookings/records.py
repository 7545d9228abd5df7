"""What the table ``bookings`` keeps: who has tickets of which event, and when a hold's reminder is due.

An event's bookings are a prefix scan. Due reminders are an index beside the records, derived from them:
``REMINDERS``, the moment (ms, 8 bytes, big endian), the booking's key; without a value.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tables.messages.mail_jobs import Job, job_id
from tables.messages.mail_kinds import MailKind
from tables.messages.mail_requests import Resend
from tables.messages.outcomes import EventFacts, MoneyAmount, Outcome, OutcomeKind, OutcomeLine
from tables.messages.statuses import PurchaseStatus
from tables.times import from_milliseconds

EVENT: Final = b"e"
PURCHASE: Final = b"p"
REMINDERS: Final = bytes(16) + b"r"
# A fifth of the hold before its end, two minutes at most; no mail comes in time for a very short one.
MOST_AHEAD_MS: Final = 120_000
SHORTEST_MS: Final = 5_000

OPEN: Final = frozenset({PurchaseStatus.HELD, PurchaseStatus.CONFIRMED})
BOOKED: Final = frozenset(OutcomeKind) - {OutcomeKind.REJECTED, OutcomeKind.REFUSED, OutcomeKind.CHANGED}

_AT: Final = slice(len(REMINDERS), len(REMINDERS) + 8)


class Booking(Struct, frozen=True, array_like=True):
    """A purchase as its last outcome left it. ``since`` is the offset of its first one."""

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

    @property
    def total(self) -> MoneyAmount:
        """What its lines are worth."""
        return MoneyAmount(sum((line.price * line.quantity for line in self.lines), Decimal(0)), self.currency)


class Announcement(Struct, frozen=True, array_like=True):
    """News of an event on its way to everybody with tickets; those up to the key ``after`` have it."""

    kind: MailKind
    before: EventFacts
    at: int
    after: bytes = b""


class EventNote(Struct, frozen=True, array_like=True):
    """An event as it was last told, and what is still to be announced of it."""

    offset: int
    facts: EventFacts
    announcing: Announcement | None = None


class _Head(Struct, array_like=True):
    offset: int


encode_booking = msgspec.msgpack.Encoder(uuid_format="bytes").encode
decode_booking = msgspec.msgpack.Decoder(Booking).decode
decode_note = msgspec.msgpack.Decoder(EventNote).decode
_decode_head = msgspec.msgpack.Decoder(_Head).decode


def booking_offset(value: bytes) -> int:
    """The log offset of the command whose outcome last changed a record of either kind."""
    return _decode_head(value).offset


def booking_prefix(event: UUID) -> bytes:
    """What the keys of all bookings of an event begin with."""
    return event.bytes + PURCHASE


def booking_key(event: UUID, purchase: UUID) -> bytes:
    """Key of a purchase's booking."""
    return booking_prefix(event) + purchase.bytes


def note_key(event: UUID) -> bytes:
    """Key of what is known of an event."""
    return event.bytes + EVENT


def ids_of(key: bytes) -> tuple[UUID, UUID]:
    """Event and purchase of a booking's key."""
    return UUID(bytes=key[:16]), UUID(bytes=key[17:])


def index(key: bytes, value: bytes) -> tuple[bytes | None, bytes | None]:
    """What storing a record does to the index of reminders: the entry that goes, the entry that comes."""
    if key[16:17] != PURCHASE:
        return None, None
    booking = decode_booking(value)
    if booking.remind_at is None:
        return None, None
    entry = REMINDERS + booking.remind_at.to_bytes(8, "big") + key
    due = booking.status is PurchaseStatus.HELD and not booking.reminded
    return (None, entry) if due else (entry, None)


def reminder_at(entry: bytes) -> tuple[int, bytes]:
    """The moment (ms) of an entry and the booking's key."""
    return int.from_bytes(entry[_AT], "big"), entry[_AT.stop :]


def booked(known: Booking | None, outcome: Outcome) -> Booking | None:
    """The booking after ``outcome``; None if that is no news of one."""
    if outcome.kind not in BOOKED or outcome.account is None or outcome.status is None:
        return None
    if known is not None and outcome.offset <= known.offset:
        return known
    deadline = _milliseconds(outcome.deadline)
    return Booking(
        offset=outcome.offset,
        since=known.since if known else outcome.offset,
        account=outcome.account,
        status=outcome.status,
        lines=_lines_after(outcome),
        currency=outcome.total.currency if outcome.total else "",
        at=_milliseconds(outcome.at) or 0,
        deadline=deadline,
        # Every later record still tells which entry the hold had.
        remind_at=known.remind_at if known else _remind_at(_milliseconds(outcome.at), deadline),
        reminded=known.reminded if known else False,
    )


def reminder(key: bytes, booking: Booking, facts: EventFacts) -> Job:
    """The mail that a hold is about to end."""
    event, purchase = ids_of(key)
    number = job_id(event, purchase, booking.offset, MailKind.HOLD_ENDING, booking.account)
    return replace(
        _job(key, booking, facts, MailKind.HOLD_ENDING, number), at=from_milliseconds(booking.remind_at or booking.at)
    )


def announced(key: bytes, booking: Booking, note: EventNote) -> Job | None:
    """The mail that tells a holder what is being announced; None for who has no tickets, or got them later."""
    news = note.announcing
    if news is None or booking.status not in OPEN or booking.since > note.offset:
        return None
    event, purchase = ids_of(key)
    number = job_id(event, purchase, note.offset, news.kind, booking.account)
    return replace(_job(key, booking, note.facts, news.kind, number), before=news.before, at=from_milliseconds(news.at))


def sent_again(resend: Resend, booking: Booking, facts: EventFacts) -> Job | None:
    """A purchase's mail once more, as the purchase stands now; None where there is nothing left to send."""
    if booking.status not in OPEN:
        return None
    kind = MailKind.HELD if booking.status is PurchaseStatus.HELD else MailKind.CONFIRMED
    job = _job(booking_key(resend.event, resend.purchase), booking, facts, kind, resend.id)
    return replace(job, at=resend.at)


def _job(key: bytes, booking: Booking, facts: EventFacts, kind: MailKind, number: UUID) -> Job:
    event, purchase = ids_of(key)
    return Job(
        id=number,
        kind=kind,
        account=booking.account,
        event=event,
        purchase=purchase,
        at=from_milliseconds(booking.at),
        facts=facts,
        lines=booking.lines,
        total=booking.total,
        deadline=None if booking.deadline is None else from_milliseconds(booking.deadline),
    )


def _lines_after(outcome: Outcome) -> tuple[OutcomeLine, ...]:
    if outcome.kind is OutcomeKind.CANCELLED:
        return outcome.left
    return outcome.lines if outcome.status in OPEN else ()


def _remind_at(at: int | None, deadline: int | None) -> int | None:
    if at is None or deadline is None or deadline - at < SHORTEST_MS:
        return None
    return deadline - min(MOST_AHEAD_MS, (deadline - at) // 5)


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
