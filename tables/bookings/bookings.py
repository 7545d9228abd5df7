"""The bookings of one partition: outcomes in, mails out.

An outcome that is known asks for no second mail; its record is given out again, since a crash may have lost
it. The mails of a batch must be stored before what ``take`` gives: a record says that its mail is on its way.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar
from uuid import UUID

from msgspec.structs import replace

from tables.bookings.records import (
    Announcement,
    Booking,
    EventNote,
    announced,
    booked,
    booking_key,
    booking_prefix,
    decode_booking,
    decode_note,
    encode_booking,
    note_key,
    reminder,
    reminder_at,
    sent_again,
)
from tables.messages.mail_jobs import Job, job_for
from tables.messages.mail_kinds import mail_of_change
from tables.messages.mail_requests import Resend
from tables.messages.outcomes import EventFacts, Outcome, OutcomeKind
from tables.messages.statuses import PurchaseStatus

Load = Callable[[bytes], bytes | None]
# The records whose keys begin with the first argument and come after the second, in the order of their keys.
Scan = Callable[[bytes, bytes], Iterable[tuple[bytes, bytes]]]
Record = TypeVar("Record", Booking, EventNote)


class Book:
    """One partition's unit of work on the table ``bookings``."""

    def __init__(self, load: Load, scan: Scan) -> None:
        self._load = load
        self._scan = scan
        self._changed: dict[bytes, Booking | EventNote] = {}

    def apply(self, outcome: Outcome) -> Job | None:
        """Take an outcome in; the mail that it asks for. Raises MalformedRecord, and has then changed nothing."""
        if outcome.kind is OutcomeKind.CHANGED:
            self._note(outcome)
            return None
        if outcome.purchase is None:
            return None
        key = booking_key(outcome.event, outcome.purchase)
        known = self._read(key, decode_booking)
        booking = booked(known, outcome)
        if booking is None:
            return None
        job = job_for(outcome) if booking is not known else None
        self._changed[key] = booking
        self._learn(outcome)
        return job

    def page(self, event: UUID, most: int) -> list[Job] | None:
        """Tell the next ``most`` purchases of an event what is to be announced; None when all have been told.

        It sees what is stored: take and store what came before it.
        """
        note = self._read(note_key(event), decode_note)
        if note is None or note.announcing is None:
            return None
        chosen = list(islice(self._scan(booking_prefix(event), note.announcing.after), most))
        jobs = [announced(key, decode_booking(value), note) for key, value in chosen]
        further = replace(note.announcing, after=chosen[-1][0]) if len(chosen) == most else None
        self._changed[note_key(event)] = replace(note, announcing=further)
        return [job for job in jobs if job]

    def remind(self, entry: bytes, now: int) -> Job | None:
        """The reminder of an entry of the index; None where the hold has ended, or its time has passed at ``now``."""
        _, key = reminder_at(entry)
        booking = self._read(key, decode_booking)
        if booking is None or booking.status is not PurchaseStatus.HELD or booking.reminded:
            return None
        self._changed[key] = replace(booking, reminded=True)
        facts = self._facts(UUID(bytes=key[:16]))
        late = booking.deadline is not None and booking.deadline <= now
        return None if facts is None or late else reminder(key, booking, facts)

    def again(self, resend: Resend) -> Job | None:
        """A purchase's mail once more; None where nothing is left to send."""
        booking = self._read(booking_key(resend.event, resend.purchase), decode_booking)
        facts = self._facts(resend.event)
        return None if booking is None or facts is None else sent_again(resend, booking, facts)

    def take(self) -> dict[bytes, bytes]:
        """The records changed since the last call."""
        taken = {key: encode_booking(record) for key, record in self._changed.items()}
        self._changed.clear()
        return taken

    def _note(self, outcome: Outcome) -> None:
        """Remember an event's new definition, and that it is to be announced where holders must know."""
        key, facts = note_key(outcome.event), outcome.facts
        known = self._read(key, decode_note)
        if facts is None or (known and (known.offset >= outcome.offset or known.facts.version >= facts.version)):
            return
        kind = mail_of_change(known.facts, facts) if known else None
        news = Announcement(kind, known.facts, round(outcome.at.timestamp() * 1000)) if known and kind else None
        self._changed[key] = EventNote(outcome.offset, facts, news)

    def _learn(self, outcome: Outcome) -> None:
        """An event whose definition came before this table began is known from its purchases."""
        if outcome.facts is not None and self._facts(outcome.event) is None:
            self._changed[note_key(outcome.event)] = EventNote(-1, outcome.facts)

    def _facts(self, event: UUID) -> EventFacts | None:
        note = self._read(note_key(event), decode_note)
        return note.facts if note else None

    def _read(self, key: bytes, decode: Callable[[bytes], Record]) -> Record | None:
        changed = self._changed.get(key)
        if changed is not None:
            return changed  # type: ignore[return-value]  # a key has one kind of record
        value = self._load(key)
        return None if value is None else decode(value)
