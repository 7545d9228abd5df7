"""The bookings of one partition: outcomes in, mail jobs out.

A repeated outcome causes no second mail; its record is written again, since a crash may have lost it. The mail jobs of
a batch must be stored before the records of ``take_records``: a record implies that its mail has been ordered.
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
    announcement_job,
    booking_after,
    booking_key,
    booking_prefix,
    decode_booking,
    decode_note,
    decode_reminder,
    encode_booking,
    former_facts,
    note_key,
    reminder_job,
    resend_job,
)
from tables.messages.encoding import to_milliseconds
from tables.messages.mail_jobs import Job, job_for
from tables.messages.mail_kinds import mail_of_change
from tables.messages.mail_requests import Resend
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.statuses import PurchaseStatus

Load = Callable[[bytes], bytes | None]
# The records whose keys begin with the first argument and come after the second, sorted by key.
Scan = Callable[[bytes, bytes], Iterable[tuple[bytes, bytes]]]
Record = TypeVar("Record", Booking, EventNote)


class BookingsUnitOfWork:
    """The unit of work on one partition of the table ``bookings``."""

    def __init__(self, load: Load, scan: Scan) -> None:
        self._load = load
        self._scan = scan
        self._changed: dict[bytes, Booking | EventNote] = {}

    def apply(self, outcome: Outcome) -> Job | None:
        """Apply an outcome; the mail that it causes, if any. Raises MalformedRecord without changing anything."""
        if outcome.kind is OutcomeKind.CHANGED:
            self._note(outcome)
            return None
        if outcome.purchase is None:
            return None
        key = booking_key(outcome.event, outcome.purchase)
        known = self._read(key, decode_booking)
        booking = booking_after(known, outcome)
        if booking is None:
            return None
        # A hold that is lengthened is told to nobody: only a purchase's first decision has a mail of this kind.
        is_extension = known is not None and outcome.kind is OutcomeKind.HELD
        job = job_for(outcome) if booking is not known and not is_extension else None
        self._changed[key] = booking
        note = self._learned(outcome)
        return replace(job, before=note.former) if job and note and note.former else job

    def announce(self, event: UUID, limit: int) -> list[Job] | None:
        """The mails that announce an event's change to its next ``limit`` purchases; None when all have been announced.

        It reads stored records only: store the changes of earlier outcomes first.
        """
        note = self._read(note_key(event), decode_note)
        if note is None or note.announcing is None:
            return None
        chosen = list(islice(self._scan(booking_prefix(event), note.announcing.after), limit))
        jobs = [announcement_job(key, decode_booking(value), note) for key, value in chosen]
        further = replace(note.announcing, after=chosen[-1][0]) if len(chosen) == limit else None
        self._changed[note_key(event)] = replace(note, announcing=further)
        return [job for job in jobs if job]

    def reminder(self, entry: bytes, now: int) -> Job | None:
        """The reminder of an index entry; None if the hold has ended, or its deadline has passed at ``now`` (ms)."""
        _, key = decode_reminder(entry)
        booking = self._read(key, decode_booking)
        if booking is None or booking.status is not PurchaseStatus.HELD or booking.reminded:
            return None
        self._changed[key] = replace(booking, reminded=True)
        note = self._read(note_key(UUID(bytes=key[:16])), decode_note)
        late = booking.deadline is not None and booking.deadline <= now
        return None if note is None or late else reminder_job(key, booking, note)

    def resend(self, resend: Resend) -> Job | None:
        """A purchase's mail again; None if it has no tickets."""
        booking = self._read(booking_key(resend.event, resend.purchase), decode_booking)
        note = self._read(note_key(resend.event), decode_note)
        return None if booking is None or note is None else resend_job(resend, booking, note)

    def take_records(self) -> dict[bytes, bytes]:
        """The encoded records changed since the last call."""
        taken = {key: encode_booking(record) for key, record in self._changed.items()}
        self._changed.clear()
        return taken

    def _note(self, outcome: Outcome) -> None:
        """Note an event's new facts, and the announcement if ticket holders need to know."""
        key, facts = note_key(outcome.event), outcome.facts
        known = self._read(key, decode_note)
        if facts is None or (known and (known.offset >= outcome.offset or known.facts.version >= facts.version)):
            return
        kind = mail_of_change(known.facts, facts) if known else None
        announcement = Announcement(kind, known.facts, to_milliseconds(outcome.at)) if known and kind else None
        self._changed[key] = EventNote(outcome.offset, facts, announcement, former_facts(known, facts))

    def _learned(self, outcome: Outcome) -> EventNote | None:
        """The event's note; its facts are those of the purchase if its definition is older than this table."""
        key = note_key(outcome.event)
        note = self._read(key, decode_note)
        if note is None and outcome.facts is not None:
            note = self._changed[key] = EventNote(-1, outcome.facts)
        return note

    def _read(self, key: bytes, decode: Callable[[bytes], Record]) -> Record | None:
        changed = self._changed.get(key)
        if changed is not None:
            return changed  # type: ignore[return-value]  # a key has one kind of record
        value = self._load(key)
        return None if value is None else decode(value)
