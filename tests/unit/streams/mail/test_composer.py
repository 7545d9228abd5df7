"""The text, language and attachments of a mail, and hostile input in it."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from aiosmtplib.email import flatten_message
from hypothesis import example, given, settings
from icalendar import Calendar
from msgspec.structs import replace

from streams.mail.composer import QR_CODES_MAX, Composer
from streams.mail.contacts import Contact
from streams.mail.i18n import translator_for
from streams.mail.texts import link_text, mail_text
from tables.errors import MalformedRecord
from tables.messages.mail_kinds import MailKind
from tables.messages.outcomes import MoneyAmount, OutcomeLine
from tables.signing.tickets import read_ticket
from tables.text.sanitize import sanitize
from tests.documents import Document
from tests.hostile import HALVES, TEXTS
from tests.unit.streams.mailing import (
    ADA,
    CODES,
    COMPOSER,
    EVENT,
    FACTS,
    HELD_LINES,
    LINES,
    MAIL_LINKS,
    PURCHASE,
    SIGNER,
    TYPE,
    job,
)
from translations.catalogues import LANGUAGES
from translations.holder_texts import postponed_text, returned_text


def sent(made: EmailMessage) -> EmailMessage:
    """The mail as the reader's program gets it."""
    return message_from_bytes(made.as_bytes(), policy=policy.default)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Section A, row 12, seat 7"), ("de", "Block A, Reihe 12, Platz 7")]
)
def test_a_ticket_says_where_its_seat_is(language: str, said: str) -> None:
    seated = (replace(LINES[0], seats=("A-12-7", "A-12-8")),)
    mail = sent(COMPOSER.compose(job(lines=seated), replace(ADA, locale=language)))
    calendar = part_of_kind(mail, "text/calendar")
    for text in (part(mail, "plain"), part(mail, "html"), calendar.replace("\\,", ",")):
        assert text.count(said) == 1
    lines = part(mail, "plain").splitlines()
    assert CODES[0] in lines[lines.index(f"  {said}") - 1]
    held = sent(
        COMPOSER.compose(job(MailKind.HELD, lines=(replace(seated[0], codes=()),)), replace(ADA, locale=language))
    )
    assert said in part(held, "plain")


def part_of_kind(mail: EmailMessage, kind: str) -> str:
    return next(str(each.get_content()) for each in mail.walk() if each.get_content_type() == kind)


def test_a_mail_says_what_was_bought_and_has_the_same_id_when_repeated() -> None:
    mail = sent(COMPOSER.compose(job(), ADA))
    assert (mail["To"], mail["Subject"]) == ("Ada Byron <ada@buyer.example>", "Your tickets for Winterreise")
    assert mail["Message-ID"] == COMPOSER.compose(job(), ADA)["Message-ID"] == f"<{job().id}@turnstile.example>"
    for kind in ("plain", "html"):
        said = part(mail, kind)
        words = ("Ada Byron", "Winterreise", "Konzerthaus, Wien", "2 × Parkett, €49.90 each", "Total: €99.80", *CODES)
        assert all(word in said for word in (*words, f"{EVENT}.{PURCHASE}")), said


def test_amounts_have_the_decimals_of_the_prices() -> None:
    lines = (OutcomeLine(TYPE, "Parter", 3, Decimal("149.50"), CODES),)
    mail = sent(COMPOSER.compose(job(lines=lines, total=MoneyAmount(Decimal("448.50"), "RSD")), ADA))
    for kind in ("plain", "html"):
        said = part(mail, kind).replace("\u00a0", " ")
        assert "3 × Parter, RSD 149.50 each" in said
        assert "Total: RSD 448.50" in said


@pytest.mark.parametrize("kind", MailKind)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mail_has_one_link_and_the_same_in_both_of_its_forms(language: str, kind: MailKind) -> None:
    news = job(kind)
    word, address = MAIL_LINKS.of(news, language)
    mail = sent(COMPOSER.compose(news, replace(ADA, locale=language)))
    shown = [attributes["href"] for tag, attributes in Tags(part(mail, "html")).found if tag == "a"]
    label = link_text(word, translator_for(language))
    assert shown == [address]
    assert f">{label}</a>" in part(mail, "html")
    lines = part(mail, "plain").splitlines()
    assert lines[lines.index(address) - 1] == f"{label}:"


def test_only_a_link_to_tickets_says_that_it_is_for_its_reader_alone() -> None:
    for kind, is_said in ((MailKind.CONFIRMED, True), (MailKind.HELD, False), (MailKind.EXPIRED, False)):
        mail = sent(COMPOSER.compose(job(kind), ADA))
        for form in ("plain", "html"):
            assert ("don’t share it" in part(mail, form).split("Total")[0]) is is_said


def test_times_are_the_events_own_with_the_zone_named() -> None:
    said = part(sent(COMPOSER.compose(job(), ADA)), "plain")
    assert "Friday, May 17, 2030, 8:00\u202fPM (Central European Summer Time, Europe/Vienna)" in said


@pytest.mark.parametrize(
    ("tag", "language", "words"),
    [
        ("de-AT", "de", ("Guten Tag Ada Byron", "Freitag, 17. Mai 2030, 20:00", "€\xa049,90")),
        ("es", "es", ("Hola, Ada Byron", "viernes, 17 de mayo de 2030, 20:00", "49,90\xa0€")),
        ("fr-CA", "fr", ("Bonjour Ada Byron", "vendredi 17 mai 2030, 20", "49,90\xa0$\xa0US", "Montrez")),
        ("pl", "pl", ("Dzień dobry, Ada Byron!", "piątek, 17 maja 2030, 20:00", "49,90\xa0€")),
        ("en-GB", "en", ("Hello Ada Byron", "Friday, 17 May 2030, 20:00", "€49.90")),
        ("pt-BR", "en", ("Hello Ada Byron", "May 17, 2030")),
        ("no such; tag", "en", ("Hello Ada Byron",)),
        ("", "en", ("Hello Ada Byron",)),
    ],
)
def test_a_mail_is_in_the_accounts_language_or_english(tag: str, language: str, words: tuple[str, ...]) -> None:
    total = MoneyAmount(LINES[0].price * 2, "USD" if tag == "fr-CA" else "EUR")
    mail = COMPOSER.compose(job(total=total), replace(ADA, locale=tag))
    said = part(sent(mail), "plain")
    assert all(word in said for word in words), said
    assert f'<html lang="{language}">' in part(sent(mail), "html")


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("kind", MailKind)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mail_is_in_every_language_and_for_any_number_of_tickets(
    language: str, kind: MailKind, count: int
) -> None:
    facts, lines = replace(FACTS, venue="Musikverein"), (replace(LINES[0], quantity=count),)
    mail = sent(COMPOSER.compose(job(kind, before=facts, lines=lines), replace(ADA, locale=language)))
    text, english = (mail_text(kind, translator_for(tag), count) for tag in (language, "en"))
    assert mail["Subject"] == text.subject.format(title="Winterreise")
    assert f"<title>{mail['Subject']}</title>" in part(mail, "html")
    for form in ("plain", "html"):
        said = part(mail, form)
        assert text.message.partition("{")[0] in said
        assert not re.search(r"[{}]", said)
        assert language == "en" or english.message.partition("{")[0] not in said
    assert not set(text) & set(english) or language == "en"


@pytest.mark.parametrize(
    ("count", "subject", "line"),
    [
        (1, "Twój bilet: Winterreise", "1 × Parkett, 49,90\xa0€"),
        (3, "Twoje bilety: Winterreise", "3 × Parkett, po 49,90\xa0€"),
        (5, "Twoje bilety: Winterreise", "5 × Parkett, po 49,90\xa0€"),
    ],
)
def test_a_mail_speaks_of_one_ticket_or_of_several(count: int, subject: str, line: str) -> None:
    lines = (replace(LINES[0], quantity=count),)
    mail = sent(COMPOSER.compose(job(lines=lines), replace(ADA, locale="pl")))
    assert mail["Subject"] == subject
    assert line in part(mail, "plain").splitlines()


def test_a_held_mail_says_until_when_in_the_events_zone() -> None:
    said = part(sent(COMPOSER.compose(job(MailKind.HELD, lines=HELD_LINES), ADA)), "plain")
    assert "until Tuesday, January 1, 2030, 1:10\u202fPM (Central European Standard Time, Europe/Vienna)" in said
    assert "entrance" not in said


def test_a_changed_event_is_shown_as_it_was_and_as_it_is() -> None:
    before = replace(FACTS, starts_at=datetime(2030, 5, 16, 18, tzinfo=UTC), venue="Musikverein")
    mail = sent(COMPOSER.compose(job(MailKind.EVENT_CHANGED, before=before), ADA))
    page, text = part(mail, "html"), part(mail, "plain")
    assert all(word in page for word in ("May 16, 2030", "Musikverein, Wien", "May 17, 2030", "Konzerthaus, Wien"))
    assert text.index("May 17") < text.index("Before:") < text.index("May 16")
    assert not any(ticket.startswith("TS1.") for ticket in text.split())


def test_a_postponed_event_tells_its_time_as_one_that_holds_no_more() -> None:
    mail = sent(COMPOSER.compose(job(MailKind.EVENT_POSTPONED, before=FACTS), ADA))
    assert "It was planned for Friday, May 17, 2030" in part(mail, "html")
    assert part(mail, "plain").count("May 17") == part(mail, "html").count("May 17") == 1


def test_what_a_partial_cancellation_leaves_is_told() -> None:
    left = (OutcomeLine(TYPE, "Parkett", 1, LINES[0].price, CODES[:1]),)
    mail = sent(COMPOSER.compose(job(MailKind.CANCELLED, left=left, returned=4), ADA))
    assert "Still valid: 1 × Parkett" in part(mail, "plain")
    assert mail["Subject"] == "4 of 5 tickets returned: Winterreise"
    assert returned_text("en", 4, 1) in {place.value for place in Document(part(mail, "html")).places}
    held = sent(COMPOSER.compose(job(MailKind.CANCELLED, lines=HELD_LINES, left=HELD_LINES), ADA))
    assert held["Subject"] == "2 of 4 tickets returned: Winterreise"
    assert "Your other ticket is not affected." in part(mail, "plain")
    whole = sent(COMPOSER.compose(job(MailKind.CANCELLED), ADA))
    assert str(whole["Subject"]).startswith("Tickets returned: ")


def test_a_mail_that_is_sent_again_says_what_the_page_says() -> None:
    again = job(returned=1, facts=replace(FACTS, status="POSTPONED"))
    said = part(sent(COMPOSER.compose(again, replace(ADA, locale="de"))), "plain")
    assert f"{returned_text('de', 1, 2)}. {postponed_text('de')}" in said
    planned = replace(again, before=FACTS)
    assert "It was planned for Friday, May 17, 2030" in part(sent(COMPOSER.compose(planned, ADA)), "plain")
    assert "returned" not in part(sent(COMPOSER.compose(job(), ADA)), "plain")


def test_each_ticket_is_a_picture_of_a_code_that_a_gate_can_check() -> None:
    mail = sent(COMPOSER.compose(job(), ADA))
    signed = [line.strip() for line in part(mail, "plain").splitlines() if line.strip().startswith("TS1.")]
    assert [read_ticket(text, SIGNER.public_key).code for text in signed] == list(CODES)
    pictures = {each["Content-ID"]: each for each in mail.walk() if each.get_content_type() == "image/png"}
    shown = [attributes["src"] for tag, attributes in Tags(part(mail, "html")).found if tag == "img"]
    assert [f"cid:{name.strip('<>')}" for name in pictures] == shown
    assert all(each.get_content_disposition() == "inline" for each in pictures.values())
    assert all(each.get_content().startswith(b"\x89PNG") for each in pictures.values())


def test_hundreds_of_tickets_are_all_told_but_not_all_drawn() -> None:
    many = (OutcomeLine(TYPE, "Parkett", 300, LINES[0].price, CODES * 150),)
    made = COMPOSER.compose(job(lines=many), ADA)
    assert sum(each.get_content_type() == "image/png" for each in made.walk()) == QR_CODES_MAX
    assert part(sent(made), "plain").count("TS1.") == 300


def test_styles_stand_in_the_elements() -> None:
    page = part(sent(COMPOSER.compose(job(), ADA)), "html")
    assert "<style" not in page
    assert any("background" in (attributes.get("style") or "") for tag, attributes in Tags(page).found if tag == "div")


INJECTED = "=?utf-8?q?a=0D=0AX-Injected:_yes=0D=0AReply-To:_x=40y.example=0D=0AX:?="
HEADERS = ["Message-ID", "Date", "From", "To", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type"]

NASTY = (
    INJECTED,
    "Night\r\nBcc: all@buyer.example",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }} {title} %s",
    "safe\u202egnp.exe\u2066",
    "a\u2028b\x85c\x0bd",
    "=?utf-8?q?Bcc=3A_x?=",
    "x" * 500,
)


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
def test_whatever_people_type_stays_text(nasty: str) -> None:
    facts = replace(FACTS, title=nasty, venue=nasty, city=nasty)
    lines = (replace(LINES[0], name=nasty),)
    harmless = COMPOSER.compose(job(), ADA)
    mail = sent(COMPOSER.compose(job(facts=facts, lines=lines), replace(ADA, name=nasty)))
    assert mail.keys() == sent(harmless).keys()
    assert mail["To"].addresses[0].addr_spec == "ada@buyer.example"
    assert len(mail["To"].addresses) == 1
    tags = [(tag, set(attributes)) for tag, attributes in Tags(part(mail, "html")).found]
    assert tags == [(tag, set(attributes)) for tag, attributes in Tags(part(sent(harmless), "html")).found]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u0085\u2028]", mail["Subject"] + part(mail, "html"))
    assert "49" not in mail["Subject"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", MailKind)
def test_what_people_type_stays_text_in_every_mail(kind: MailKind, language: str) -> None:
    typed = "{title} %(x)s {0.__class__} <b>"
    facts, lines = replace(FACTS, title=typed, venue=typed), (replace(LINES[0], name=typed),)
    mail = sent(COMPOSER.compose(job(kind, facts=facts, lines=lines), replace(ADA, name=typed, locale=language)))
    assert typed in mail["Subject"]
    assert part(mail, "plain").count(typed) == 4
    assert "<b>" not in part(mail, "html")


@given(HALVES)
@example(INJECTED)
@example("=?utf-8?q?fake?=")
@example(r"C:\New\\N")
def test_what_people_type_is_read_back_from_the_mail_as_it_is_sent(typed: str) -> None:
    facts = replace(FACTS, title=typed, venue=typed, city=typed)
    made = COMPOSER.compose(job(MailKind.EVENT_CHANGED, facts=facts), replace(ADA, name=typed))
    content, shown = flatten_message(made), sanitize(typed)
    mail = message_from_bytes(content, policy=policy.default)
    assert mail.keys() == HEADERS
    assert mail["Subject"] == f"Changed: {shown}".strip()
    assert mail["To"].addresses[0].addr_spec == "ada@buyer.example"
    assert str(make_header(decode_header(message_from_bytes(content)["To"]))).removesuffix(" <ada@buyer.example>") == (
        shown or "ada@buyer.example"
    )
    assert all(len(word) <= 75 for word in re.findall(rb"=\?\S*\?=", content.partition(b"\r\n\r\n")[0]))
    [file] = [each for each in mail.walk() if each.get_content_type() == "application/ics"]
    [entry] = Calendar.from_ical(file.get_content()).walk("VEVENT")
    assert entry["summary"] == shown
    assert entry.get("location", "") == (f"{shown}, {shown}" if shown else "")


@settings(max_examples=30)
@given(TEXTS.filter(sanitize))
@example("</div>{{ title }}")
def test_what_people_type_is_read_back_from_text_and_html(typed: str) -> None:
    def composed(text: str) -> EmailMessage:
        facts, lines = replace(FACTS, title=text, venue=text, city=text), (replace(HELD_LINES[0], name=text),)
        return sent(COMPOSER.compose(job(MailKind.HELD, facts=facts, lines=lines), replace(ADA, name=text)))

    mail, usual = composed(typed), composed("Winterreise")
    for line, was in zip(*(part(each, "plain").splitlines() for each in (mail, usual)), strict=True):
        assert line.strip() == was.replace("Winterreise", sanitize(typed)).strip()
    for place, was in zip(*(Document(part(each, "html")).places for each in (mail, usual)), strict=True):
        assert place == was._replace(value=was.value.replace("Winterreise", sanitize(typed)))


def test_a_long_domain_of_the_sender_stays_as_it_is() -> None:
    domain = "mail." + "long-department-name." * 3 + "example"
    content = Composer(f"Turnstile <tickets@{domain}>", SIGNER, MAIL_LINKS).compose(job(), ADA).as_bytes().decode()
    for line in (f"Message-ID: <{job().id}@{domain}>", *(f"Content-ID: <{job().id}.{n}@{domain}>" for n in range(2))):
        assert f"\r\n{line}\r\n" in f"\r\n{content}"


@pytest.mark.parametrize(
    "address",
    [
        "ada@buyer.example\r\nBcc: all@buyer.example",
        "ada@buyer.example, bob@buyer.example",
        "Ada <ada@buyer.example>",
        "ada@buyer.example\u202e",
        "ada@buyer.example bob",
        "ada",
        "@buyer.example",
        "a\x00da@buyer.example",
        "ada@" + "x" * 64 + ".example",
        "ada@..",
    ],
)
def test_an_address_that_is_not_exactly_one_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(MalformedRecord) as refusal:
        COMPOSER.compose(job(), replace(ADA, email=address))
    assert "ada" not in str(refusal.value)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("ada+tickets@büyer.example", "ada+tickets@xn--byer-0ra.example"),
        ("ädä@buyer.example", "ädä@buyer.example"),
        ("user@straße.example", "user@xn--strae-oqa.example"),
        ("user@faß.example", "user@xn--fa-hia.example"),
        ("user@σίγμας.example", "user@xn--kxaef0b5ab.example"),
        ("ada@BU\u0308YER.example", "ada@xn--byer-0ra.example"),
    ],
)
def test_addresses_in_other_letters_are_written_as_mail_servers_want_them(address: str, written: str) -> None:
    made = COMPOSER.compose(job(), Contact(1, "", address, "en"))
    assert written in made.as_bytes().decode()


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "\0"])
def test_a_zone_that_nobody_knows_is_told_in_utc(zone: str) -> None:
    said = part(sent(COMPOSER.compose(job(facts=replace(FACTS, time_zone=zone)), ADA)), "plain")
    assert "6:00\u202fPM (Coordinated Universal Time, UTC)" in said


def test_a_job_that_no_template_can_show_is_malformed() -> None:
    with pytest.raises(MalformedRecord, match="Error"):
        COMPOSER.compose(job(lines=(replace(LINES[0], codes=("no code!",)),)), ADA)


@pytest.mark.parametrize("kind", [MailKind.HELD, MailKind.HOLD_ENDING, MailKind.PAYMENT_DECLINED])
def test_a_hold_that_must_be_paid_names_the_amount_and_leads_to_the_page_where_it_is_paid(kind: MailKind) -> None:
    unpaid = job(kind, lines=HELD_LINES, payment=MoneyAmount(Decimal("99.80"), "EUR"))
    mail = sent(COMPOSER.compose(unpaid, ADA))
    for form in ("plain", "html"):
        said = part(mail, form)
        assert "€99.80" in said.split("Total")[0]
        assert f"https://tickets.example/purchases/{EVENT}.{PURCHASE}/payment?mail=en" in said
        assert "Pay now" in said


@pytest.mark.parametrize(
    ("amount", "currency", "shown"), [("99.80", "EUR", "€99.80"), ("1500", "JPY", "¥1,500"), ("1.250", "KWD", "1.250")]
)
@pytest.mark.parametrize(("kind", "word"), [(MailKind.PAID, "Paid"), (MailKind.PAID_BACK, "Refunded")])
def test_a_receipt_has_amount_date_and_reference(
    kind: MailKind, word: str, amount: str, currency: str, shown: str
) -> None:
    money = MoneyAmount(Decimal(amount), currency)
    mail = sent(COMPOSER.compose(job(kind, payment=money, payment_reference="pay-<1>"), ADA))
    said = part(mail, "plain").replace("\u00a0", " ")
    assert re.search(rf"^{word}: .*{re.escape(shown)}, Tuesday, January 1, 2030", said, re.MULTILINE), said
    assert "Payment reference: pay-<1>" in said
    assert "pay-&lt;1&gt;" in part(mail, "html")
    assert not any(attachment.get_filename() == "event.ics" for attachment in mail.iter_attachments())
