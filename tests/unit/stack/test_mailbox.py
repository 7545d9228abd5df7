"""The mail server's memory and its pages."""

import json
from email.message import EmailMessage
from pathlib import Path

from stack.mailbox import SHOWN, Mailbox, list_page, mail_page


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


def test_what_is_no_mail_is_kept_all_the_same(tmp_path: Path) -> None:
    kept = Mailbox(tmp_path).keep("", ["b@x.example"], b"\xff\xfe no headers at all")
    assert (kept.subject, kept.to) == ("", ["b@x.example"])


def test_subjects_in_any_language_are_read(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    kept = box.keep("a@x.example", ["b@x.example"], mail("Ваши билеты: 東京ジャズ"))
    assert kept.subject == "Ваши билеты: 東京ジャズ"
    assert json.loads(json.dumps(kept.subject)) == kept.subject
    assert box.read(kept.id)["Subject"] == kept.subject


def test_pages_show_markup_as_text(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    kept = box.keep("a@x.example", ["<b>@x.example"], mail("<script>alert(1)</script>", "<img src=x onerror=y>\n"))
    for page in (list_page(box.newest(SHOWN), 1), mail_page(box.read(kept.id))):
        assert "&lt;script&gt;" in page
        assert "<script>" not in page
        assert "<img" not in page


def test_the_list_shows_the_newest_first(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    for number in range(5):
        box.keep("a@x.example", ["b@x.example"], mail(f"mail {number}"))
    assert [kept.subject for kept in box.newest(2)] == ["mail 4", "mail 3"]
