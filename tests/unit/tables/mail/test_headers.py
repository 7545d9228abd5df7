"""Mail headers as they are sent and parsed: each once, with the text that was entered."""

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage, Message

import pytest
from hypothesis import example, given

from tables.mail.headers import mailbox_header, text_header
from tables.text.sanitize import sanitize
from tests.hostile import HALVES

INJECTED = "=?utf-8?q?a=0D=0AX-Injected:_yes=0D=0AReply-To:_x=40y.example=0D=0AX:?="


def sent(text: str) -> bytes:
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = mailbox_header("From", text, "tickets@turnstile.example")
    mail["To"] = mailbox_header("To", text, "ada@buyer.example")
    mail["Subject"] = text_header("Subject", text)
    mail.set_content("body")
    return mail.as_bytes()


def unspaced(name: str) -> str:
    """Python's parser changes the spaces between the encoded words of a name."""
    return "".join(name.split())


def decoded(mail: Message, name: str) -> str:
    return str(make_header(decode_header(mail[name])))


@given(HALVES)
@example(INJECTED)
@example("=?utf-8?q?fake?=")
@example("x" * 500)
def test_a_text_is_read_back_and_brings_no_header(text: str) -> None:
    content, shown = sent(text), sanitize(text)
    mail = message_from_bytes(content, policy=policy.default)
    names = ["From", "To", "Subject", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
    assert mail.keys() == names
    assert mail["Subject"] == shown
    for name, address in (("From", "tickets@turnstile.example"), ("To", "ada@buyer.example")):
        [mailbox] = mail[name].addresses
        assert (unspaced(mailbox.display_name), mailbox.addr_spec) == (unspaced(shown), address)


@given(HALVES)
@example(INJECTED)
def test_an_older_reader_reads_the_same(text: str) -> None:
    mail = message_from_bytes(sent(text))
    assert decoded(mail, "Subject") == sanitize(text)
    name = sanitize(text)
    assert decoded(mail, "To") == (f"{name} <ada@buyer.example>" if name else "ada@buyer.example")


@given(HALVES)
def test_lines_are_ascii_and_as_long_as_they_may_be(text: str) -> None:
    head = sent(text).partition(b"\r\n\r\n")[0].decode("ascii")
    assert all(len(line) <= 76 for line in head.split("\r\n"))
    assert all(len(word) <= 75 for word in re.findall(r"=\?\S*\?=", head))


@pytest.mark.parametrize("text", ["Your tickets for Winterreise", "Ada Byron", "x" * 60, "50 % & more"])
def test_what_needs_no_encoding_has_none(text: str) -> None:
    assert f"Subject: {text}\r\n" in sent(text).decode()


def test_letters_of_an_address_stay_where_servers_take_them() -> None:
    assert mailbox_header("To", "Ada", "ädä@buyer.example").fold(policy=policy.SMTPUTF8) == (
        "To: Ada <ädä@buyer.example>\r\n"
    )
