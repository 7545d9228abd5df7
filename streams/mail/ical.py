"""The calendar file of a mail (RFC 5545, 5546), which creates, updates or removes a purchase's entry.

Each purchase has one entry (tables/mail/calendar.py).
"""

from typing import Final
from urllib.parse import quote

from icalendar import Event, vCalAddress, vText

from streams.mail.i18n import translator_for
from streams.mail.texts import event_note
from tables.mail.calendar import calendar, entry
from tables.messages.mail_jobs import Job
from tables.messages.mail_kinds import MailKind
from translations.holder_texts import calendar_notes

REQUEST: Final = "REQUEST"
CANCEL: Final = "CANCEL"
_MAILTO_SAFE: Final = "@+!$'*"
_METHODS: Final = {
    MailKind.CONFIRMED: REQUEST,
    MailKind.EVENT_CHANGED: REQUEST,
    MailKind.EVENT_POSTPONED: REQUEST,
    MailKind.CANCELLED: CANCEL,
    MailKind.REFUNDED: CANCEL,
    MailKind.EVENT_CANCELED: CANCEL,
    MailKind.PAYMENT_FAILED: CANCEL,
}


def method_of(job: Job) -> str | None:
    """The iTIP method of a mail, or None: only purchases with tickets have an entry."""
    if not any(line.codes for line in job.lines):
        return None
    return REQUEST if job.left else _METHODS.get(job.kind)


def invitation(job: Job, organizer: str, attendee: str, language: str) -> bytes | None:
    """The calendar file for a mail from ``organizer`` to ``attendee``; None where the mail has none."""
    method = method_of(job)
    if method is None:
        return None
    return calendar(method, _entry(job, method, organizer, attendee, language))


def _entry(job: Job, method: str, organizer: str, attendee: str, language: str) -> Event:
    note = event_note(job, translator_for(language))
    seats = (seat for line in job.left or job.lines for seat in line.seats)
    notes = calendar_notes(language, returned=job.returned, left=job.tickets_left, event_note=note, seats=seats)
    domain, ends = organizer.rpartition("@")[2], method == CANCEL
    made = entry(job.event, job.purchase, job.facts, job.at, domain, notes=() if ends else notes, ends=ends)
    made["organizer"] = _mailto(organizer)
    guest = _mailto(attendee)
    guest.params["partstat"] = vText("ACCEPTED")
    made["attendee"] = guest
    return made


def _mailto(address: str) -> vCalAddress:
    """A mailto URI (RFC 6068), with ``?``, ``&`` and ``%`` of the address escaped."""
    return vCalAddress(f"mailto:{quote(address, safe=_MAILTO_SAFE)}")
