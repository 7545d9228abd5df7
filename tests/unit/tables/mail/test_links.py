"""Links in mails: which kind of mail has which link, its expiry and its subject."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from msgspec.structs import replace

from tables.mail.links import PATHS, PURCHASE_SHOWN_FOR, LinkedPurchase, LinkLabel, MailLinks
from tables.messages.mail_jobs import Job
from tables.messages.mail_kinds import MailKind
from tables.messages.outcomes import EventFacts, MoneyAmount, OutcomeLine
from tables.signing.links import LinkExpired, LinkKind, LinkSigner

EVENT, PURCHASE, ACCOUNT, TYPE = (UUID(int=number) for number in range(1, 5))
AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
DEADLINE = AT + timedelta(minutes=10)
ENDS = datetime(2030, 5, 17, 20, tzinfo=UTC)
FACTS = EventFacts("Winterreise", "ACTIVE", ENDS - timedelta(hours=2), ENDS, "Europe/Vienna")
HELD = (OutcomeLine(TYPE, "Stalls", 2, Decimal(10)),)
BOUGHT = (OutcomeLine(TYPE, "Stalls", 2, Decimal(10), ("a", "b")),)
LINKS = LinkSigner(["k" * 32])
MAIL_LINKS = MailLinks("https://tickets.example", LINKS)


def job(kind: MailKind, **more: Any) -> Job:
    fields: dict[str, Any] = {"lines": BOUGHT, "facts": FACTS, "at": AT, "deadline": DEADLINE}
    return Job(id=UUID(int=9), kind=kind, account=ACCOUNT, event=EVENT, purchase=PURCHASE, **(fields | more))


def read(address: str, kind: LinkKind, now: datetime) -> LinkedPurchase:
    """The subject of the link at that time."""
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "tickets.example", PATHS[kind])
    assert parse_qs(parts.query)["mail"] == ["pl"]
    return LinkedPurchase.read(LINKS.verify(kind, parse_qs(parts.query)["link"][0], now))


@pytest.mark.parametrize("kind", [MailKind.HELD, MailKind.HOLD_ENDING])
def test_a_mail_about_a_hold_has_a_link_that_confirms_it_until_its_deadline(kind: MailKind) -> None:
    word, address = MAIL_LINKS.of(job(kind, lines=HELD), "pl")
    assert word is LinkLabel.CONFIRM
    assert read(address, LinkKind.FINISH_HOLD, DEADLINE - timedelta(seconds=1)) == (EVENT, PURCHASE, ACCOUNT)
    with pytest.raises(LinkExpired):
        read(address, LinkKind.FINISH_HOLD, DEADLINE)


def test_a_mail_about_tickets_has_a_link_to_them_until_a_month_after_the_event() -> None:
    word, address = MAIL_LINKS.of(job(MailKind.CONFIRMED), "pl")
    assert word is LinkLabel.TICKETS
    end = ENDS + PURCHASE_SHOWN_FOR
    assert read(address, LinkKind.SEE_PURCHASE, end - timedelta(seconds=1)) == (EVENT, PURCHASE, ACCOUNT)
    with pytest.raises(LinkExpired):
        read(address, LinkKind.SEE_PURCHASE, end)


def test_a_mail_that_comes_after_the_event_has_a_link_that_is_still_good() -> None:
    late = ENDS + timedelta(days=90)
    _, address = MAIL_LINKS.of(job(MailKind.REFUNDED, at=late), "pl")
    assert read(address, LinkKind.SEE_PURCHASE, late + timedelta(days=29)).purchase == PURCHASE


def test_an_event_in_the_last_year_that_there_is_has_a_link_too() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    _, address = MAIL_LINKS.of(job(MailKind.CONFIRMED, facts=replace(FACTS, ends_at=last)), "pl")
    assert read(address, LinkKind.SEE_PURCHASE, last.replace(microsecond=0) - timedelta(seconds=1)).event == EVENT


@pytest.mark.parametrize(
    ("kind", "more", "word"),
    [
        (MailKind.EVENT_CHANGED, {}, LinkLabel.TICKETS),
        (MailKind.EVENT_CHANGED, {"lines": HELD}, LinkLabel.PURCHASE),
        (MailKind.EVENT_POSTPONED, {}, LinkLabel.TICKETS),
        (MailKind.CANCELLED, {}, LinkLabel.PURCHASE),
        (MailKind.CANCELLED, {"left": BOUGHT}, LinkLabel.TICKETS),
        (MailKind.REFUNDED, {}, LinkLabel.PURCHASE),
        (MailKind.EVENT_CANCELED, {}, LinkLabel.PURCHASE),
        (MailKind.HELD, {"lines": HELD, "deadline": None}, LinkLabel.PURCHASE),
        (MailKind.PAID, {"payment": MoneyAmount(Decimal(20), "EUR")}, LinkLabel.TICKETS),
        (MailKind.PAID, {"lines": HELD}, LinkLabel.TICKETS),
        (MailKind.PAID_BACK, {}, LinkLabel.PURCHASE),
        (MailKind.PAID_BACK, {"lines": HELD}, LinkLabel.PURCHASE),
    ],
)
def test_a_link_is_called_by_what_its_reader_still_has(kind: MailKind, more: dict[str, Any], word: LinkLabel) -> None:
    found, address = MAIL_LINKS.of(job(kind, **more), "pl")
    assert found is word
    assert read(address, LinkKind.SEE_PURCHASE, AT).account == ACCOUNT


@pytest.mark.parametrize("kind", [MailKind.EXPIRED, MailKind.HOLD_ENDED])
def test_what_is_no_longer_held_leads_back_to_the_event_which_is_no_secret(kind: MailKind) -> None:
    assert MAIL_LINKS.of(job(kind), "pl") == (LinkLabel.EVENT, f"https://tickets.example/events/{EVENT}?mail=pl")


def test_a_dispute_leads_the_organizer_to_the_payment_where_he_signs_in() -> None:
    found = MAIL_LINKS.of(job(MailKind.DISPUTED), "pl")
    assert found == (LinkLabel.PAYMENT, f"https://tickets.example/organize/purchases/{EVENT}.{PURCHASE}?mail=pl")
