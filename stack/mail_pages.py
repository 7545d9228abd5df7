"""The pages that show mails. A mail's HTML is not trusted: it is shown in a frame without scripts or network."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage, Message, MIMEPart
from pathlib import Path
from typing import Final, NamedTuple

from jinja2 import Environment, FileSystemLoader

# The HTML of a mail may use its own styles and pictures only, in an origin of its own.
FRAME_POLICY: Final = "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'"
PAGE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'"

# The standard library's time for a header grows with the square of its length: half a megabyte takes ten seconds.
HEADER_PARSED_MAX_CHARS: Final = 20_000

_pages: Final = Environment(autoescape=True, loader=FileSystemLoader(Path(__file__).with_name("mail_templates")))


@dataclass(frozen=True, slots=True)
class StoredMail:
    """The headers of a mail for the lists."""

    id: str
    to: list[str]
    subject: str
    message_id: str
    received: str


class MailPart(NamedTuple):
    """A part of a mail that is not multipart."""

    number: int
    name: str
    kind: str
    cid: str
    content: bytes


def headers_of(mail: Message) -> list[tuple[str, str]]:
    """The headers' names and values in their order; one that is too long or can't be parsed stays raw."""
    return [(name, _value(mail, name, str(raw))) for name, raw in mail.raw_items()]


def _value(mail: Message, name: str, raw: str) -> str:
    if len(raw) > HEADER_PARSED_MAX_CHARS:
        return raw
    try:
        return str(mail.policy.header_fetch_parse(name, raw))
    except (ValueError, IndexError):  # a line end in a name, or an incomplete address
        return raw


def parts_of(mail: EmailMessage) -> list[MailPart]:
    """The parts of a mail in their order."""
    leaves = [part for part in mail.walk() if not part.is_multipart()]
    return [_part(number, leaf) for number, leaf in enumerate(leaves)]


def _part(number: int, leaf: EmailMessage) -> MailPart:
    content = leaf.get_payload(decode=True)
    cid = str(leaf.get("Content-ID", "")).strip("<> ")
    kind = leaf.get_content_type()
    return MailPart(number, leaf.get_filename() or kind, kind, cid, content if isinstance(content, bytes) else b"")


def list_page(mails: Sequence[StoredMail], total: int) -> str:
    """The page that lists mails."""
    return _pages.get_template("list.html").render(title=f"{total} mails", mails=mails)


def mail_page(name: str, mail: EmailMessage) -> str:
    """The page of one mail: headers, its HTML in a frame, its text, links to its parts."""
    headers, body = headers_of(mail), mail.get_body(("plain", "html"))
    return _pages.get_template("mail.html").render(
        name=name,
        title=dict(reversed(headers)).get("Subject", ""),
        headers=headers,
        is_framed=mail.get_body(("html",)) is not None,
        text="(no text)" if body is None else _text(body),
        parts=parts_of(mail),
    )


def framed_page(name: str, mail: EmailMessage) -> str:
    """A mail's HTML with links to its pictures. Raises KeyError if it has none."""
    body = mail.get_body(("html",))
    if body is None:
        raise KeyError(name)
    page = _text(body)
    for part in parts_of(mail):
        if part.cid:
            page = page.replace(f"cid:{part.cid}", f"/mails/{name}/parts/{part.number}")
    return page


def _text(body: MIMEPart) -> str:
    """The text of a part; undecoded where the encoding is unknown."""
    try:
        return str(body.get_content())
    except LookupError:
        return str(body.get_payload())
