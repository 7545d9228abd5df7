"""The API's own mails, against real mail servers: who gets them, and what happens where a server can't take one."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from pydantic import SecretStr

from api.adapters.smtp import SmtpMailer
from api.auth.account_mails import ComposedMail
from api.problems import Refused, Unavailable
from settings import Settings
from streams.mail.contacts import Contact, address_of

CODE = ComposedMail("Your code", "7", "<p>7</p>", "en")


class Kept:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(envelope)
        return "250 OK"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def listening(*, smtputf8: bool = True) -> Iterator[tuple[Kept, SmtpMailer]]:
    port = free_port()
    kept = Kept()
    server = Controller(kept, "127.0.0.1", port, server_hostname="localhost", enable_SMTPUTF8=smtputf8)
    server.start()
    try:
        yield (
            kept,
            SmtpMailer(
                Settings(ticket_key=SecretStr("k" * 32), smtp_port=port, mail_from="Türnstile <a@büro.example>")
            ),
        )
    finally:
        server.stop()


@pytest.mark.parametrize(
    "address",
    ["user@straße.example", "user@faß.example", "user@σίγμας.example", "ada@buyer.example", "ädä@büyer.example"],
)
def test_a_code_goes_where_the_tickets_go(address: str) -> None:
    with listening() as (kept, post):
        post(address, ComposedMail("Your code =?utf-8?q?a=0D=0ABcc:_x?=", "The code is 7.\n", "<p>7</p>\n", "de"))
    [envelope] = kept.mails
    assert envelope.rcpt_tos == [address_of(Contact(1, "", address, "en"))]
    assert isinstance(envelope.content, bytes)
    mail = message_from_bytes(envelope.content, policy=policy.default)
    assert str(mail["To"]) == envelope.rcpt_tos[0]
    assert mail["Subject"] == "Your code =?utf-8?q?a=0D=0ABcc:_x?="
    assert mail["From"] == "Türnstile <a@xn--bro-hoa.example>"
    assert envelope.mail_from == "a@xn--bro-hoa.example"
    assert mail["Message-ID"].endswith("@xn--bro-hoa.example>")
    assert "Bcc" not in mail
    assert mail["Content-Language"] == "de"
    parts = [(part.get_content_type(), part.get_content().strip()) for part in mail.iter_parts()]
    assert parts == [("text/plain", "The code is 7."), ("text/html", "<p>7</p>")]


def test_an_address_that_is_none_is_refused_and_asks_no_server() -> None:
    with pytest.raises(Refused):
        SmtpMailer(Settings(ticket_key=SecretStr("k" * 32)))("ada@buyer.example\r\nBcc: x", CODE)


def test_letters_that_a_server_cannot_take_are_refused_at_once() -> None:
    with listening(smtputf8=False) as (kept, post):
        with pytest.raises(Refused) as refusal:
            post("ädä@buyer.example", CODE)
        post("ada@büyer.example", CODE)
    assert [(fault.pointer, fault.detail) for fault in refusal.value.faults] == [
        ("/email", "the mail server does not take this address")
    ]
    assert [envelope.rcpt_tos for envelope in kept.mails] == [["ada@xn--byer-0ra.example"]]


class Answering(Kept):
    """Answers a recipient as it is told."""

    def __init__(self, answer: str) -> None:
        super().__init__()
        self.answer = answer

    async def handle_RCPT(self, *_: Any) -> str:  # noqa: N802
        return self.answer


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("550 5.1.1 no such user", Refused),
        ("450 4.2.0 greylisted, come again", Unavailable),
        ("421 4.3.2 closing", Unavailable),
        ("999 what?", Unavailable),
    ],
)
def test_an_address_is_wrong_only_if_the_server_refuses_it_for_ever(answer: str, error: type[Exception]) -> None:
    server = Controller(Answering(answer), "127.0.0.1", free_port(), server_hostname="localhost")
    server.start()
    try:
        with pytest.raises(error):
            SmtpMailer(Settings(ticket_key=SecretStr("k" * 32), smtp_port=server.port))("ada@buyer.example", CODE)
    finally:
        server.stop()


def drip(port: int, answers: bytes, pause_s: float, until: threading.Event) -> threading.Thread:
    """A server that says ``answers`` to whoever connects first, a byte at a time."""
    listener = socket.create_server(("127.0.0.1", port))

    def serve() -> None:
        with listener, listener.accept()[0] as client, suppress(OSError):
            for byte in answers:
                client.send(bytes([byte]))
                if until.wait(pause_s):
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_a_server_that_answers_byte_by_byte_holds_few_threads_and_not_for_long() -> None:
    port, end = free_port(), threading.Event()
    server = drip(port, b"220 mail.example\r\n" + b"250 OK\r\n" * 100, 0.3, end)
    mailer = SmtpMailer(Settings(ticket_key=SecretStr("k" * 32), smtp_port=port), timeout_s=0.5, at_once_max=1)

    def seconds(_: int) -> float:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            mailer("ada@buyer.example", CODE)
        return time.monotonic() - began

    try:
        with ThreadPoolExecutor(2) as threads:
            refused_s, given_up_s = sorted(threads.map(seconds, range(2)))
        assert (refused_s < 0.4, 0.4 < given_up_s < 4) == (True, True)
    finally:
        end.set()
        server.join()


class SilentAtTheEnd(Kept):
    """Takes mails, and never says goodbye."""

    async def handle_QUIT(self, *_: Any) -> str:  # noqa: N802
        await asyncio.sleep(60)
        return "221 bye"


def test_a_mail_that_the_server_has_taken_is_sent_whatever_its_goodbye() -> None:
    kept = SilentAtTheEnd()
    server = Controller(kept, "127.0.0.1", free_port(), server_hostname="localhost")
    server.start()
    try:
        SmtpMailer(Settings(ticket_key=SecretStr("k" * 32), smtp_port=server.port))("ada@buyer.example", CODE)
        assert len(kept.mails) == 1
    finally:
        server.stop()
