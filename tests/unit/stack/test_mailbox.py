"""The mail server's memory and its pages."""

import asyncio
import html
import json
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiosmtplib import SMTP, SMTPDataError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stack.mail_pages import FRAME_POLICY, framed_page, list_page, mail_page
from stack.mailbox import MAILS_SHOWN_MAX, Mailbox, _session, make_page
from tables.mail.headers import text_header
from tables.text.sanitize import sanitize
from tests.documents import Document
from tests.hostile import HALVES

TAGS = {"", *["html", "meta", "title", "style", "h1", "table", "tr", "th", "td", "a", "p", "pre", "b", "iframe", "hr"]}


def mail(subject: str = "Your tickets", body: str = "See you there.\n") -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "tickets@turnstile.example", "ann@mail.example"
    message["Subject"], message["Message-ID"] = subject, "<1@turnstile.example>"
    message.set_content(body)
    return message.as_bytes().replace(b"\n", b"\r\n")


def test_a_mail_is_kept_with_its_envelope(tmp_path: Path) -> None:
    kept = Mailbox(tmp_path).keep("tickets@turnstile.example", ["ann@mail.example", "bob@mail.example"], mail())
    assert (kept.subject, kept.message_id) == ("Your tickets", "<1@turnstile.example>")
    assert kept.to == ["ann@mail.example", "bob@mail.example"]
    assert (tmp_path / f"{kept.id}.eml").read_bytes().endswith(mail())


def test_mails_outlive_the_server(tmp_path: Path) -> None:
    before = Mailbox(tmp_path)
    kept = [before.keep("a@x.example", ["b@x.example"], mail(f"mail {number}")) for number in range(12)]
    assert Mailbox(tmp_path).all() == kept


def test_a_mail_that_was_being_written_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "1-0.partial").write_bytes(mail())
    assert Mailbox(tmp_path).all() == []


def test_a_mail_that_can_not_be_kept_now_is_sent_again_later(tmp_path: Path) -> None:
    """Where the disk is full; here the folder is gone."""
    mailbox = Mailbox(tmp_path / "mail")
    mailbox.folder.rmdir()

    async def send() -> None:
        loop = asyncio.get_running_loop()
        async with await loop.create_server(lambda: _session(mailbox, loop), "127.0.0.1", 0) as server:
            client = SMTP(hostname="127.0.0.1", port=server.sockets[0].getsockname()[1])
            await client.connect()
            with pytest.raises(SMTPDataError) as refused:
                await client.sendmail("tickets@turnstile.example", "ann@mail.example", mail())
            client.close()
        assert refused.value.code == 452

    asyncio.run(send())


def test_what_is_no_mail_is_kept_all_the_same(tmp_path: Path) -> None:
    kept = Mailbox(tmp_path).keep("", ["b@x.example"], b"\xff\xfe no headers at all")
    assert (kept.subject, kept.to) == ("", ["b@x.example"])


@pytest.mark.parametrize(
    "header", ["To: =?utf-8?q?a=0D=0Ab?= <x@y.example>", "Message-ID: <", "From: =?utf-8?q?=0D=0A?= <x@y.example>"]
)
def test_a_header_that_cannot_be_read_is_shown_as_it_came(tmp_path: Path, header: str) -> None:
    kept = Mailbox(tmp_path).keep("", ["b@x.example"], f"{header}\r\nSubject: s\r\n\r\nbody".encode())
    again = Mailbox(tmp_path)
    assert again.all() == [kept]
    assert kept.subject == "s"
    name, _, value = header.partition(": ")
    assert f"<b>{name}:</b> {html.escape(value)}\n" in mail_page(kept.id, again.read(kept.id))


def test_a_header_that_is_too_long_to_parse_is_shown_as_it_came(tmp_path: Path) -> None:
    long, short = text_header("Subject", "t" * 30_000), text_header("Subject", "ü" * 3_000)
    box = Mailbox(tmp_path)
    for header in (long, short):
        box.keep("a@x.example", ["b@x.example"], header.fold(policy=SMTP_POLICY).encode() + b"\r\nx")
    raw, parsed = [kept.subject for kept in box.all()]
    assert raw.startswith("=?utf-8?")
    assert parsed == "ü" * 3_000


def test_an_envelope_adds_one_line_for_each_address(tmp_path: Path) -> None:
    kept = Mailbox(tmp_path).keep("a\nX: 1@x.example", ["b\nSubject: y@x.example"], mail())
    assert kept.subject == "Your tickets"
    assert Mailbox(tmp_path).read(kept.id).keys()[:3] == ["Return-Path", "Delivered-To", "From"]


def test_subjects_in_any_language_are_read(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    kept = box.keep("a@x.example", ["b@x.example"], mail("Ваши билеты: 東京ジャズ"))
    assert kept.subject == "Ваши билеты: 東京ジャズ"
    assert json.loads(json.dumps(kept.subject)) == kept.subject
    assert box.read(kept.id)["Subject"] == kept.subject


def test_pages_show_markup_as_text(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    kept = box.keep("a@x.example", ["<b>@x.example"], mail("<script>alert(1)</script>", "<img src=x onerror=y>\n"))
    for page in (list_page(box.newest(MAILS_SHOWN_MAX), 1), mail_page(kept.id, box.read(kept.id))):
        assert "&lt;script&gt;" in page
        assert "<script>" not in page
        assert "<img" not in page


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HALVES, st.binary(max_size=50))
@example("b", b"Content-Type: text/plain; charset=nope\r\n\r\n\xff")
def test_whatever_a_mail_says_is_shown_as_text(tmp_path: Path, typed: str, came: bytes) -> None:
    sent = EmailMessage(policy=SMTP_POLICY)
    sent["Subject"] = text_header("Subject", typed)
    sent.set_content(sanitize(typed))
    box = Mailbox(tmp_path / uuid4().hex)
    kept = [
        box.keep(sanitize(typed), [sanitize(typed)], content)
        for content in (sent.as_bytes(), b"Subject: " + came, came)
    ]
    listed = list_page(box.newest(MAILS_SHOWN_MAX), 1)
    for page in (listed, *(mail_page(mail.id, box.read(mail.id)) for mail in kept)):
        assert {place.tag for place in Document(page).places} <= TAGS
        assert page.encode()
    links = [place.value for place in Document(listed).places if place[:2] == ("a", "")]
    assert links[-1] == (sanitize(typed) or "(no subject)")


def test_the_list_shows_the_newest_first(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    for number in range(5):
        box.keep("a@x.example", ["b@x.example"], mail(f"mail {number}"))
    assert [kept.subject for kept in box.newest(2)] == ["mail 4", "mail 3"]


@pytest.mark.parametrize(("query", "found"), [("", "012"), ("?q=mail+1", "1"), ("?q=ann@", "02"), ("?q=nobody", "")])
def test_mails_are_listed_by_their_subject_or_a_recipient(tmp_path: Path, query: str, found: str) -> None:
    box = Mailbox(tmp_path)
    for number, recipient in enumerate(("ann@x.example", "bob@x.example", "ann@x.example")):
        box.keep("a@x.example", [recipient], mail(f"mail {number}"))

    async def ask() -> list[str]:
        async with TestClient(TestServer(make_page(box))) as client:
            answer = await client.get(f"/mails.json{query}")
            return [each["subject"] for each in await answer.json()]

    assert asyncio.run(ask()) == [f"mail {number}" for number in found]


def with_html() -> bytes:
    message = EmailMessage()
    message["Subject"] = "Your tickets"
    message.set_content("See you there.")
    message.add_alternative('<p>See you <img src="cid:1@x.example"></p><script>alert(1)</script>', subtype="html")
    message.get_body(("html",)).add_related(b"\x89PNG", "image", "png", cid="<1@x.example>")  # type: ignore[union-attr]
    message.add_attachment(b"<script>alert(2)</script>", "text", "html", filename='e"vil.html')
    return message.as_bytes()


def test_a_mails_html_is_framed_and_its_pictures_are_found(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    kept = box.keep("a@x.example", ["b@x.example"], with_html())
    page = mail_page(kept.id, box.read(kept.id))
    assert f'<iframe sandbox src="/mails/{kept.id}/html"' in page
    assert "<script>" not in page
    assert f'src="/mails/{kept.id}/parts/2"' in framed_page(kept.id, box.read(kept.id))


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("", 200, "text/html"),
        ("/html", 200, "text/html"),
        ("/parts/2", 200, "image/png"),
        ("/parts/3", 200, "application/octet-stream"),
        ("/parts/9", 404, "text/plain"),
        ("x", 404, "text/plain"),
        ("x/html", 404, "text/plain"),
    ],
)
def test_nothing_that_a_mail_brings_is_run(tmp_path: Path, path: str, status: int, kind: str) -> None:
    box = Mailbox(tmp_path)
    kept = box.keep("a@x.example", ["b@x.example"], with_html())

    async def ask() -> None:
        async with TestClient(TestServer(make_page(box))) as client:
            answer = await client.get(f"/mails/{kept.id}{path}")
            assert (answer.status, answer.content_type) == (status, kind)
            assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == (
                "private, no-store",
                "nosniff",
            )
            if status == 200:
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            if path == "/html":
                assert answer.headers["Content-Security-Policy"] == FRAME_POLICY
            if kind == "application/octet-stream":
                assert answer.headers["Content-Disposition"].startswith("attachment")

    asyncio.run(ask())
