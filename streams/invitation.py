"""The calendar file of a mail (RFC 5545, 5546): a purchase's entry is made, moved, or taken out again.

One purchase of one event has one entry: its UID never changes. SEQUENCE is the event's version, and one more where
the entry ends, so a calendar that gets them in another order keeps the newest.
"""

from typing import Final

from icalendar import Calendar, Event, vCalAddress, vText

from tables.jobs import Job
from tables.mails import MailKind
from tables.plain import plain

REQUEST: Final = "REQUEST"
CANCEL: Final = "CANCEL"
_METHODS: Final = {
    MailKind.CONFIRMED: REQUEST,
    MailKind.EVENT_CHANGED: REQUEST,
    MailKind.EVENT_POSTPONED: REQUEST,
    MailKind.CANCELLED: CANCEL,
    MailKind.REFUNDED: CANCEL,
    MailKind.EVENT_CANCELED: CANCEL,
}


def method_of(job: Job) -> str | None:
    """What the mail does to a calendar, if anything: only tickets that were bought have an entry."""
    bought = any(line.codes for line in job.lines)
    return _METHODS.get(job.kind) if bought and not job.left else None


def invitation(job: Job, organizer: str, attendee: str) -> bytes | None:
    """The calendar file for a mail between these two addresses; None where it does nothing to a calendar."""
    method = method_of(job)
    if method is None:
        return None
    calendar = Calendar()
    calendar.add("prodid", "-//Turnstile//Tickets//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(_entry(job, method, organizer, attendee))
    return bytes(calendar.to_ical())


def _entry(job: Job, method: str, organizer: str, attendee: str) -> Event:
    facts = job.facts
    entry = Event()
    entry.add("uid", f"{job.event}.{job.purchase}@{organizer.partition('@')[2]}")
    entry.add("sequence", facts.version + (method == CANCEL))
    entry.add("dtstamp", job.at)
    entry.add("dtstart", facts.starts_at)
    entry.add("dtend", facts.ends_at)
    entry.add("summary", plain(facts.title))
    if facts.venue or facts.city:
        entry.add("location", ", ".join(plain(part) for part in (facts.venue, facts.city) if part))
    entry.add("status", _status(job, method))
    entry["organizer"] = vCalAddress(f"mailto:{organizer}")
    guest = vCalAddress(f"mailto:{attendee}")
    guest.params["partstat"] = vText("ACCEPTED")
    entry["attendee"] = guest
    return entry


def _status(job: Job, method: str) -> str:
    if method == CANCEL:
        return "CANCELLED"
    return "TENTATIVE" if job.kind is MailKind.EVENT_POSTPONED else "CONFIRMED"
