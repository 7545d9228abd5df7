"""Calendar entries (RFC 5545): each purchase of an event has one, whose UID never changes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from icalendar import Calendar, Event, vText

from tables.messages.outcomes import EventFacts
from tables.messages.statuses import EventStatus
from tables.text.sanitize import sanitize, sanitize_list


class _Text(vText):
    r"""A text in which ``\N`` stays: icalendar would write it as a line break."""

    def to_ical(self) -> bytes:
        return rb"\\N".join(vText(part).to_ical() for part in self.split(r"\N"))


def calendar(method: str, entry: Event) -> bytes:
    """An iCalendar file with an entry and its ``method`` (RFC 5546)."""
    made = Calendar()
    made.add("prodid", "-//Turnstile//Tickets//EN")
    made.add("version", "2.0")
    made.add("method", method)
    made.add_component(entry)
    return bytes(made.to_ical())


def entry(
    event: UUID,
    purchase: UUID,
    facts: EventFacts,
    at: datetime,
    domain: str,
    *,
    notes: Sequence[str] = (),
    ends: bool = False,
) -> Event:
    """The entry as of ``at``, which says ``notes``; ``domain`` is that of the mails' sender.

    SEQUENCE is the event's version, plus 1 if ``ends`` (the entry is cancelled), so a calendar keeps the newest entry
    whatever their order. A postponed event is tentative.
    """
    made = Event()
    made.add("uid", f"{event}.{purchase}@{domain}")
    made.add("sequence", facts.version + ends)
    made.add("dtstamp", at)
    made.add("dtstart", facts.starts_at)
    made.add("dtend", facts.ends_at)
    made.add("status", "CANCELLED" if ends else "TENTATIVE" if facts.status == EventStatus.POSTPONED else "CONFIRMED")
    made.add("summary", _Text(sanitize(facts.title)))
    if notes:
        made.add("description", _Text("\n".join(notes)))
    if place := sanitize_list(facts.venue, facts.city):
        made.add("location", _Text(place))
    return made
