"""A mail server that keeps each mail as a file and shows it on a page: ``python -m stack.mailbox FOLDER SMTP HTTP``.

``/`` lists the newest mails, ``/mails/<id>`` shows one, ``/mails.json`` tells all of them.
"""

import asyncio
import html
import itertools
import signal
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
SHOWN = 200
LARGEST = 32 * 2**20
STYLE = "body{font:15px/1.4 sans-serif;margin:2em}td,th{text-align:left;padding-right:1em}pre{white-space:pre-wrap}"


@dataclass(frozen=True, slots=True)
class Mail:
    """What the list tells about one mail."""

    id: str
    to: list[str]
    subject: str
    message_id: str
    received: str


class Mailbox:
    """The mails of one folder, oldest first. The files are the truth; the list is read from them at the start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._mails = {path.stem: _describe(path.stem, path.read_bytes()) for path in sorted(folder.glob("*.eml"))}
        self._numbers = itertools.count()

    def keep(self, sender: str, recipients: list[str], content: bytes) -> Mail:
        """Write one mail down, with its envelope as a mail server would note it."""
        name = f"{time.time_ns()}-{next(self._numbers)}"
        envelope = [f"Return-Path: <{sender}>", *(f"Delivered-To: {recipient}" for recipient in recipients)]
        content = "\r\n".join(envelope).encode() + b"\r\n" + content
        partial = self.folder / f"{name}.partial"
        partial.write_bytes(content)
        partial.rename(self.folder / f"{name}.eml")
        self._mails[name] = _describe(name, content)
        return self._mails[name]

    def all(self) -> list[Mail]:
        """Every mail, oldest first."""
        return list(self._mails.values())

    def newest(self, count: int) -> list[Mail]:
        """The last mails, newest first."""
        return list(itertools.islice(reversed(self._mails.values()), count))

    def read(self, name: str) -> EmailMessage:
        """One whole mail. Raises KeyError."""
        content = (self.folder / f"{self._mails[name].id}.eml").read_bytes()
        return BytesParser(policy=policy.default).parsebytes(content)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (its name)
        """Take one mail; called by aiosmtpd."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.keep(envelope.mail_from or "", list(envelope.rcpt_tos), content)
        return "250 OK"


def _describe(name: str, content: bytes) -> Mail:
    headers = BytesHeaderParser(policy=policy.default).parsebytes(content.partition(b"\r\n\r\n")[0])
    received = datetime.fromtimestamp(int(name.partition("-")[0]) / 1e9, UTC)
    return Mail(
        id=name,
        to=[str(value) for value in headers.get_all("Delivered-To", [])],
        subject=str(headers.get("Subject", "")),
        message_id=str(headers.get("Message-ID", "")),
        received=received.isoformat(timespec="milliseconds"),
    )


def list_page(mails: list[Mail], total: int) -> str:
    """The page that lists mails."""
    rows = "".join(
        f"<tr><td>{mail.received}</td><td>{html.escape(', '.join(mail.to))}</td>"
        f'<td><a href="/mails/{mail.id}">{html.escape(mail.subject) or "(no subject)"}</a></td></tr>'
        for mail in mails
    )
    head = "<tr><th>received</th><th>to</th><th>subject</th></tr>"
    return _page(f"{total} mails", f"<h1>{total} mails, the newest {len(mails)}</h1><table>{head}{rows}</table>")


def mail_page(mail: EmailMessage) -> str:
    """The page that shows one mail as text, with the names of its parts."""
    headers = "".join(f"<b>{html.escape(name)}:</b> {html.escape(str(value))}\n" for name, value in mail.items())
    body = mail.get_body(("plain", "html"))
    text = html.escape(str(body.get_content())) if body is not None else "(no text)"
    parts = [part.get_filename() or part.get_content_type() for part in mail.walk() if not part.is_multipart()]
    listed = html.escape(", ".join(parts))
    shown = f'<p><a href="/">all mails</a></p><pre>{headers}</pre><hr><pre>{text}</pre><hr><p>parts: {listed}</p>'
    return _page(str(mail.get("Subject", "")), shown)


def _page(title: str, body: str) -> str:
    head = f"<meta charset=utf-8><title>{html.escape(title)}</title><style>{STYLE}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>"


def make_page(mailbox: Mailbox) -> web.Application:
    """The web application over a mailbox."""

    async def show_list(request: web.Request) -> web.Response:
        mails = mailbox.newest(SHOWN)
        return web.Response(text=list_page(mails, len(mailbox.all())), content_type="text/html")

    async def show_mail(request: web.Request) -> web.Response:
        try:
            mail = mailbox.read(request.match_info["name"])
        except KeyError:
            raise web.HTTPNotFound from None
        return web.Response(text=mail_page(mail), content_type="text/html")

    async def tell_all(request: web.Request) -> web.Response:
        return web.json_response([asdict(mail) for mail in mailbox.all()])

    application = web.Application()
    application.add_routes(
        [web.get("/", show_list), web.get("/mails/{name}", show_mail), web.get("/mails.json", tell_all)]
    )
    return application


def _session(mailbox: Mailbox, loop: asyncio.AbstractEventLoop) -> SMTP:
    """One connection. The host's name is given, since looking it up can take seconds."""
    return SMTP(mailbox, loop=loop, hostname="localhost", data_size_limit=LARGEST, enable_SMTPUTF8=True)


async def serve(folder: Path, smtp_port: int, http_port: int) -> None:
    """Take and show mails until a signal comes."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
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
