"""An event in somebody's calendar (RFC 5545): one purchase of one event has one entry, and its UID never changes."""

from datetime import datetime
from uuid import UUID

from icalendar import Calendar, Event

from tables.messages.outcomes import EventFacts
from tables.text.sanitize import plain, plain_list


def calendar(method: str, entry: Event) -> bytes:
    """The file that does ``method`` (RFC 5546) with an entry."""
    made = Calendar()
    made.add("prodid", "-//Turnstile//Tickets//EN")
    made.add("version", "2.0")
    made.add("method", method)
    made.add_component(entry)
    return bytes(made.to_ical())


def entry(event: UUID, purchase: UUID, facts: EventFacts, at: datetime, domain: str, *, ends: bool = False) -> Event:
    """The entry as of ``at``; ``domain`` is that of whoever sends the mails.

    SEQUENCE is the event's version, and one more where the entry ends, so a calendar that gets them in another order
    keeps the newest.
    """
    made = Event()
    made.add("uid", f"{event}.{purchase}@{domain}")
    made.add("sequence", facts.version + ends)
    made.add("dtstamp", at)
    made.add("dtstart", facts.starts_at)
    made.add("dtend", facts.ends_at)
    made.add("summary", plain(facts.title))
    if place := plain_list(facts.venue, facts.city):
        made.add("location", place)
    return made
