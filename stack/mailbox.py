"""A mail server that keeps each mail as a file and shows it on a page: ``python -m stack.mailbox FOLDER SMTP HTTP``.

``/`` lists the newest mails, ``/mails/<id>`` shows one with its parts, ``/mails.json`` lists all of them, and with
``?q=text`` those that have the text in their subject or a recipient's address.
"""

import asyncio
import itertools
import logging
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path

from aiohttp import web
from aiohttp.helpers import content_disposition_header
from aiosmtpd.smtp import SMTP, Envelope, Session

from stack.mail_pages import (
    FRAME_POLICY,
    PAGE_POLICY,
    MailPart,
    StoredMail,
    framed_page,
    headers_of,
    list_page,
    mail_page,
    parts_of,
)
from telemetry.signals import stop_on_signals

HOST = "127.0.0.1"
MAILS_SHOWN_MAX = 200
MAIL_MAX_BYTES = 32 * 2**20
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif"})

log = logging.getLogger(__name__)


class Mailbox:
    """The mails of one folder, oldest first. At the start the list is read from the files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._mails = {path.stem: _describe(path.stem, path.read_bytes()) for path in sorted(folder.glob("*.eml"))}
        self._numbers = itertools.count()

    def keep(self, sender: str, recipients: list[str], content: bytes) -> StoredMail:
        """Store one mail, with its envelope in the headers that mail servers use. Raises OSError."""
        name = f"{time.time_ns()}-{next(self._numbers)}"
        envelope = [f"Return-Path: <{sender}>", *(f"Delivered-To: {recipient}" for recipient in recipients)]
        lines = (" ".join(line.splitlines()) for line in envelope)
        content = "\r\n".join(lines).encode() + b"\r\n" + content
        partial = self.folder / f"{name}.partial"
        try:
            partial.write_bytes(content)
            partial.rename(self.folder / f"{name}.eml")
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        self._mails[name] = _describe(name, content)
        return self._mails[name]

    def all(self, text: str = "") -> list[StoredMail]:
        """Every mail with the text in its subject or a recipient's address, oldest first."""
        return [mail for mail in self._mails.values() if text in mail.subject or any(text in each for each in mail.to)]

    def newest(self, count: int) -> list[StoredMail]:
        """The last mails, newest first."""
        return list(itertools.islice(reversed(self._mails.values()), count))

    def read(self, name: str) -> EmailMessage:
        """One whole mail. Raises KeyError."""
        content = (self.folder / f"{self._mails[name].id}.eml").read_bytes()
        return BytesParser(policy=policy.default).parsebytes(content)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (its name)
        """Take one mail; called by aiosmtpd."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        try:
            self.keep(envelope.mail_from or "", list(envelope.rcpt_tos), content)
        except OSError:  # a full disk, say: aiosmtpd would answer 500, which means never
            log.exception("a mail could not be kept")
            return "452 4.3.1 it can't be kept now"
        return "250 OK"


def _describe(name: str, content: bytes) -> StoredMail:
    headers = BytesHeaderParser(policy=policy.default).parsebytes(content.partition(b"\r\n\r\n")[0])
    values = [(name.lower(), value) for name, value in headers_of(headers)]
    first = dict(reversed(values))
    received = datetime.fromtimestamp(int(name.partition("-")[0]) / 1e9, UTC)
    return StoredMail(
        id=name,
        to=[value for name, value in values if name == "delivered-to"],
        subject=first.get("subject", ""),
        message_id=first.get("message-id", ""),
        received=received.isoformat(timespec="milliseconds"),
    )


def make_page(mailbox: Mailbox) -> web.Application:
    """The web application over a mailbox."""

    async def show_list(request: web.Request) -> web.Response:
        return _html(list_page(mailbox.newest(MAILS_SHOWN_MAX), len(mailbox.all())), PAGE_POLICY)

    async def show_mail(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return _html(mail_page(name, _found(mailbox, name)), PAGE_POLICY)

    async def show_html(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            return _html(framed_page(name, _found(mailbox, name)), FRAME_POLICY)
        except KeyError:
            raise web.HTTPNotFound from None

    async def give_part(request: web.Request) -> web.Response:
        parts = parts_of(_found(mailbox, request.match_info["name"]))
        number = int(request.match_info["number"])
        if number >= len(parts):
            raise web.HTTPNotFound
        return _content(parts[number])

    async def tell_all(request: web.Request) -> web.Response:
        found = mailbox.all(request.query.get("q", ""))
        return web.json_response([asdict(mail) for mail in found])

    application = web.Application()
    application.on_response_prepare.append(_guard)
    application.add_routes(
        [
            web.get("/", show_list),
            web.get("/mails.json", tell_all),
            web.get("/mails/{name}", show_mail),
            web.get("/mails/{name}/html", show_html),
            web.get(r"/mails/{name}/parts/{number:\d{1,4}}", give_part),
        ]
    )
    return application


def _found(mailbox: Mailbox, name: str) -> EmailMessage:
    try:
        return mailbox.read(name)
    except KeyError:
        raise web.HTTPNotFound from None


async def _guard(request: web.Request, answer: web.StreamResponse) -> None:
    """No mail is cached, and no content type is guessed."""
    answer.headers.update({"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"})


def _html(page: str, policy: str) -> web.Response:
    return web.Response(text=page, content_type="text/html", headers={"Content-Security-Policy": policy})


def _content(part: MailPart) -> web.Response:
    """A part as a download; only pictures are shown."""
    shown = part.kind in PICTURES
    kind = part.kind if shown else "application/octet-stream"
    headers = {"Content-Security-Policy": FRAME_POLICY}
    if not shown:
        headers["Content-Disposition"] = content_disposition_header("attachment", filename=part.name)
    return web.Response(body=part.content, content_type=kind, headers=headers)


def _session(mailbox: Mailbox, loop: asyncio.AbstractEventLoop) -> SMTP:
    """One connection. The host name is given, because a lookup can take seconds."""
    return SMTP(mailbox, loop=loop, hostname="localhost", data_size_limit=MAIL_MAX_BYTES, enable_SMTPUTF8=True)


async def serve(folder: Path, smtp_port: int, http_port: int) -> None:
    """Receive and show mails until a signal comes."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    stop_on_signals(lambda *_: stopping.set())
    mailbox = Mailbox(folder)
    runner = web.AppRunner(make_page(mailbox), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, http_port, shutdown_timeout=1).start()
    server = await loop.create_server(lambda: _session(mailbox, loop), HOST, smtp_port)
    await stopping.wait()
    server.close()
    await runner.cleanup()


def main() -> None:
    """Run the mail server."""
    folder, smtp_port, http_port = sys.argv[1:4]
    asyncio.run(serve(Path(folder), int(smtp_port), int(http_port)))


if __name__ == "__main__":
    main()
