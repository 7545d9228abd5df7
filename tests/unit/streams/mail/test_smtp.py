"""The SMTP client against a real server with scripted answers."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cache
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope
from pydantic import SecretStr

from settings import Settings
from streams.mail.smtp import (
    ANSWER_TIMEOUT_S,
    PermanentlyRefused,
    ServerUnavailable,
    SmtpClient,
    SmtpError,
    TemporarilyRefused,
)
from tests.unit.greeting_server import greeting_for_ever
from tests.unit.streams.mailing import ADA, COMPOSER, job


@dataclass
class Server:
    """Answers each step of a mail as it is told; None means 250."""

    sender: str | None = None
    recipient: str | None = None
    data: str | None = None
    taken: list[Envelope] = field(default_factory=list)
    connections: int = 0
    open: list[Any] = field(default_factory=list)

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.sender or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self.recipient:
            envelope.rcpt_tos.append(address)
        return self.recipient or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.data == "never":
            await asyncio.sleep(60)
        if not self.data:
            self.taken.append(envelope)
        return self.data or "250 OK"

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        def connected() -> SMTP:
            self.connections += 1
            protocol = SMTP(self, hostname="localhost", enable_SMTPUTF8=True)
            self.open.append(protocol)
            return protocol

        server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", port)
        try:
            yield
        finally:
            server.close()
            self.hang_up()

    def hang_up(self) -> None:
        for protocol in self.open:
            if protocol.transport is not None:
                protocol.transport.close()
        self.open.clear()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def client_of(port: int, timeout_s: float = ANSWER_TIMEOUT_S, **more: Any) -> SmtpClient:
    return SmtpClient(Settings(ticket_key=SecretStr("k" * 32), smtp_port=port, **more), timeout_s)


@cache
def mail() -> EmailMessage:
    """A mail with tickets: to draw their codes takes longer than to send it."""
    return COMPOSER.compose(job(), ADA)


def with_server(server: Server, talk: Callable[[SmtpClient, int], Awaitable[None]]) -> None:
    async def run() -> None:
        port = free_port()
        async with server.listening(port):
            await talk(client_of(port), port)

    asyncio.run(run())


def test_many_mails_go_over_few_connections() -> None:
    server = Server()

    async def talk(client: SmtpClient, port: int) -> None:
        for _ in range(10):
            await asyncio.gather(*(client.send(mail()) for _ in range(3)))

    with_server(server, talk)
    assert len(server.taken) == 30
    assert server.connections == 3
    assert server.taken[0].rcpt_tos == ["ada@buyer.example"]


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"recipient": "550 5.1.1 <ada@buyer.example> no such user"}, PermanentlyRefused),
        ({"recipient": "450 4.2.0 <ada@buyer.example> greylisted"}, TemporarilyRefused),
        ({"data": "554 5.7.1 spam from ada@buyer.example"}, PermanentlyRefused),
        ({"data": "452 4.3.1 no room"}, TemporarilyRefused),
        ({"sender": "553 5.1.8 not you"}, PermanentlyRefused),
        ({"sender": "451 4.3.0 later"}, TemporarilyRefused),
        ({"sender": "421 4.3.2 closing"}, ServerUnavailable),
    ],
    ids=lambda value: next(iter(value.items())) if isinstance(value, dict) else value.__name__,
)
def test_what_the_server_says_tells_for_now_from_for_ever_and_repeats_no_address(
    answers: dict[str, Any], error: type[SmtpError]
) -> None:
    server = Server(**answers)

    async def talk(client: SmtpClient, port: int) -> None:
        with pytest.raises(SmtpError) as refusal:
            await client.send(mail())
        assert type(refusal.value) is error
        assert "ada@" not in str(refusal.value)
        assert next(iter(answers.values()))[:3] in str(refusal.value)
        server.sender = server.recipient = server.data = None
        await client.send(mail())

    with_server(server, talk)
    assert len(server.taken) == 1


def test_a_connection_that_was_closed_meanwhile_is_made_anew_without_a_word() -> None:
    server = Server()

    async def talk(client: SmtpClient, port: int) -> None:
        await client.send(mail())
        server.hang_up()
        await asyncio.sleep(0)
        await client.send(mail())

    with_server(server, talk)
    assert (len(server.taken), server.connections) == (2, 2)


def test_a_server_that_is_not_there_is_away() -> None:
    async def run() -> None:
        with pytest.raises(ServerUnavailable):
            await client_of(free_port()).send(mail())

    asyncio.run(run())


def test_a_server_that_is_silent_about_a_mail_gets_it_later() -> None:
    server = Server(data="never")

    async def talk(client: SmtpClient, port: int) -> None:
        impatient = client_of(port, timeout_s=0.2)
        with pytest.raises(TemporarilyRefused):
            await impatient.send(mail())
        server.data = None
        await impatient.send(mail())

    with_server(server, talk)
    assert (len(server.taken), server.connections) == (1, 2)


GOOD = {
    b"": b"220 hi\r\n", b"EHLO": b"250-hi\r\n250 8BITMIME\r\n", b"HELO": b"250 hi\r\n", b"MAIL": b"250 ok\r\n",
    b"RCPT": b"250 ok\r\n", b"DATA": b"354 go on\r\n", b".": b"250 taken\r\n",
}  # fmt: skip


async def converse(step: bytes, said: bytes | None, talk: Callable[[SmtpClient], Awaitable[None]]) -> int:
    """Talk to a server that says ``said`` once, at that step (None: hangs up). Gives the mails that it took."""
    taken, told = 0, False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken, told
        command = b""
        with closing(writer):
            while True:
                answer = said if command == step and not told else GOOD.get(command, b"250 ok\r\n")
                told = told or command == step
                if answer is None:
                    break
                writer.write(answer)
                if command == b"DATA":
                    await reader.readuntil(b"\r\n.\r\n")
                    taken, command = taken + 1, b"."
                elif line := await reader.readline():
                    command = line.strip()[:4]
                else:
                    break

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        client = client_of(server.sockets[0].getsockname()[1], timeout_s=0.5)
        await talk(client)
        for each in client._idle:
            each.close()
        await asyncio.sleep(0.01)  # the server sees that, too
    return taken


@pytest.mark.parametrize("step", sorted(GOOD.keys() - {b"HELO", b"DATA", b"."}))
@pytest.mark.parametrize(
    "said",
    [
        b"rubbish\r\n", b"\xff\xfe\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"999 what?\r\n", b"-12 no\r\n",
        b"A" * 50_000, b"250-more\r\n" * 5_000, b"450 caf\xe9\r\n", b"421 bye\r\n", None,
    ],
    ids=lambda said: repr(said)[:16],
)  # fmt: skip
def test_whatever_a_server_says_once_the_next_mails_are_sent(step: bytes, said: bytes | None) -> None:
    """What broke off is closed: an answer that comes late must not pass for that to another mail."""

    async def talk(client: SmtpClient) -> None:
        with suppress(ServerUnavailable, TemporarilyRefused):  # a strange answer to EHLO may be followed by HELO
            await client.send(mail())
        for _ in range(2):
            await client.send(mail())

    assert asyncio.run(converse(step, said, talk)) in (2, 3)


def test_a_server_that_is_busy_at_its_greeting_is_waited_for() -> None:
    async def talk(client: SmtpClient) -> None:
        with pytest.raises(ServerUnavailable):
            await client.send(mail())
        await client.send(mail())

    assert asyncio.run(converse(b"EHLO", b"421 too many connections\r\n", talk)) == 1


@pytest.mark.parametrize("step", [b"MAIL", b"RCPT"])
def test_a_mail_at_which_the_server_hangs_up_comes_later_and_blocks_no_other(step: bytes) -> None:
    async def talk(client: SmtpClient) -> None:
        with pytest.raises(TemporarilyRefused):
            await client.send(mail())

    assert asyncio.run(converse(step, None, talk)) == 0


def test_a_server_that_wants_another_password_is_waited_for() -> None:
    async def talk(client: SmtpClient, port: int) -> None:
        with pytest.raises(ServerUnavailable):
            await client_of(port, smtp_user="turnstile", smtp_password=SecretStr("wrong")).send(mail())

    with_server(Server(), talk)


def test_a_mail_whose_answers_are_all_slow_has_a_time_in_all() -> None:
    """Each answer comes in time; a batch of such mails would hold up all others."""

    class Slow(Server):
        async def handle_MAIL(self, *args: Any) -> str:  # noqa: N802
            await asyncio.sleep(0.2)
            return await super().handle_MAIL(*args)

        async def handle_RCPT(self, *args: Any) -> str:  # noqa: N802
            await asyncio.sleep(0.2)
            return await super().handle_RCPT(*args)

        async def handle_DATA(self, *args: Any) -> str:  # noqa: N802
            await asyncio.sleep(0.2)
            return await super().handle_DATA(*args)

    server = Slow()

    async def talk(client: SmtpClient, port: int) -> None:
        impatient = SmtpClient(client._settings, timeout_s=5.0, total_timeout_s=0.3)
        with pytest.raises(TemporarilyRefused):
            await impatient.send(mail())
        assert impatient._idle == []
        await SmtpClient(client._settings, timeout_s=5.0, total_timeout_s=5.0).send(mail())

    with_server(server, talk)
    assert len(server.taken) == 1


def test_a_server_that_greets_byte_by_byte_is_away_after_a_time_in_all() -> None:
    async def run() -> None:
        async with greeting_for_ever() as port:
            settings = client_of(port)._settings
            async with asyncio.timeout(3):
                with pytest.raises(ServerUnavailable):
                    await SmtpClient(settings, timeout_s=10.0, total_timeout_s=0.3).send(mail())

    asyncio.run(run())
