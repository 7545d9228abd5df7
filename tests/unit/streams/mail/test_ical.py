"""Calendar files: one entry per purchase, which later mails update or remove."""

from datetime import UTC, datetime
from typing import Any

import pytest
from icalendar import Calendar
from msgspec.structs import replace

from streams.mail.i18n import translator_for
from streams.mail.ical import invitation
from tables.messages.mail_jobs import Job
from tables.messages.mail_kinds import MailKind
from tests.unit.streams.mailing import ADA, COMPOSER, EVENT, FACTS, HELD_LINES, LINES, PURCHASE, job
from translations.holder_texts import moved_text, postponed_text

MOVED = replace(FACTS, starts_at=datetime(2030, 5, 18, 18, tzinfo=UTC), version=4)


def calendar(one: Job) -> tuple[Any, Any]:
    """The calendar and its one entry."""
    content = invitation(one, "tickets@turnstile.example", "ada@buyer.example", "en")
    assert content is not None
    read: Any = Calendar.from_ical(content)
    [entry] = read.walk("VEVENT")
    return read, entry


def test_a_confirmed_purchase_makes_an_entry() -> None:
    read, entry = calendar(job())
    assert read["method"] == "REQUEST"
    assert entry["uid"] == f"{EVENT}.{PURCHASE}@turnstile.example"
    assert (entry["sequence"], entry["status"]) == (3, "CONFIRMED")
    assert (entry["dtstart"].dt, entry["dtend"].dt) == (FACTS.starts_at, FACTS.ends_at)
    assert (entry["summary"], entry["location"]) == ("Winterreise", "Konzerthaus, Wien")
    assert (entry["organizer"], entry["attendee"]) == ("mailto:tickets@turnstile.example", "mailto:ada@buyer.example")


def test_a_changed_event_moves_the_same_entry() -> None:
    _, first = calendar(job())
    read, moved = calendar(job(MailKind.EVENT_CHANGED, facts=MOVED))
    assert read["method"] == "REQUEST"
    assert moved["uid"] == first["uid"]
    assert moved["sequence"] > first["sequence"]
    assert moved["dtstart"].dt == MOVED.starts_at


def test_a_postponed_event_makes_the_entry_tentative() -> None:
    facts = replace(MOVED, status="POSTPONED")
    _, entry = calendar(job(MailKind.EVENT_POSTPONED, facts=facts))
    assert entry["status"] == "TENTATIVE"
    assert entry["description"] == postponed_text("en", translator_for("en").time(MOVED.starts_at, MOVED.time_zone))
    _, moved = calendar(job(MailKind.EVENT_CHANGED, facts=MOVED, before=FACTS))
    assert moved["description"] == moved_text("en", translator_for("en").time(FACTS.starts_at, FACTS.time_zone))
    assert "description" not in calendar(job(MailKind.EVENT_CHANGED, facts=MOVED))[1]


def test_tickets_that_are_given_back_in_part_keep_the_entry_which_says_so() -> None:
    _, first = calendar(job())
    news = job(MailKind.CANCELLED, lines=(replace(LINES[0], quantity=1),), left=LINES, returned=1)
    read, entry = calendar(news)
    assert (read["method"], entry["status"], entry["uid"]) == ("REQUEST", "CONFIRMED", first["uid"])
    assert entry["description"] == "1 of 3 tickets returned."
    assert entry["sequence"] == first["sequence"]
    assert (
        calendar(job(MailKind.EVENT_CHANGED, returned=2, facts=MOVED))[1]["description"] == "2 of 4 tickets returned."
    )


@pytest.mark.parametrize("kind", [MailKind.CANCELLED, MailKind.REFUNDED, MailKind.EVENT_CANCELED])
def test_what_ends_takes_the_entry_out(kind: MailKind) -> None:
    _, first = calendar(job())
    read, entry = calendar(job(kind))
    assert (read["method"], entry["status"]) == ("CANCEL", "CANCELLED")
    assert entry["uid"] == first["uid"]
    assert entry["sequence"] > first["sequence"]


@pytest.mark.parametrize(
    "one",
    [
        job(MailKind.HELD, lines=HELD_LINES),
        job(MailKind.EXPIRED, lines=HELD_LINES),
        job(MailKind.HOLD_ENDED, lines=HELD_LINES),
        job(MailKind.EVENT_CANCELED, lines=HELD_LINES),
        job(MailKind.EVENT_CHANGED, lines=HELD_LINES),
        job(MailKind.CANCELLED, lines=HELD_LINES, left=HELD_LINES),
    ],
    ids=[
        "held",
        "expired",
        "ended by the operator",
        "held of a cancelled event",
        "held of a changed event",
        "partly given back while held",
    ],
)
def test_what_has_no_entry_or_keeps_it_says_nothing_to_a_calendar(one: Job) -> None:
    assert invitation(one, "tickets@turnstile.example", "ada@buyer.example", "en") is None
    assert not any(part.get_content_type() == "text/calendar" for part in COMPOSER.compose(one, ADA).walk())


def test_a_mail_carries_the_entry_for_programs_and_as_a_file() -> None:
    mail = COMPOSER.compose(job(), ADA)
    [inline] = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    [file] = [part for part in mail.walk() if part.get_content_type() == "application/ics"]
    assert inline.get_param("method") == "REQUEST"
    assert file.get_filename() == "event.ics"
    assert Calendar.from_ical(file.get_content()).to_ical() == Calendar.from_ical(inline.get_content()).to_ical()


def test_an_address_asks_a_calendar_for_nothing_else() -> None:
    content = invitation(job(), "tickets@turnstile.example", "a?cc=b&subject=50%@buyer.example", "en")
    assert content is not None
    [entry] = Calendar.from_ical(content).walk("VEVENT")
    assert entry["attendee"] == "mailto:a%3Fcc%3Db%26subject%3D50%25@buyer.example"


def test_a_title_adds_no_line_to_the_file() -> None:
    content = invitation(
        job(facts=replace(FACTS, title="A\r\nATTENDEE:mailto:x@y.example")), "a@b.example", "c@d.example", "en"
    )
    assert content is not None
    assert content.count(b"\nATTENDEE") == 1
