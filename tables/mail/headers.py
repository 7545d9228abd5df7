"""Mail headers (RFC 5322, 2047): encoded and folded here, in ASCII, whatever their text contains.

Python's own folding decodes text that looks like an encoded word, so an event's title could inject headers. These
headers have their lines ready, and the standard library's generators write them unchanged.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from email.policy import Policy
from typing import Final, Self

from tables.text.sanitize import sanitize

LINE_MAX_CHARS: Final = 76
# In base64 and with the syntax of an encoded word it fits a line that begins with "Subject: ".
ENCODED_WORD_MAX_BYTES: Final = 39
_ENCODED_WORD_BEGIN: Final = "=?"
_ATOMS: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?: [\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)


class MailHeader(str):
    """A header's value as readable text; ``fold`` returns what is sent. ``EmailMessage`` keeps it unchanged."""

    __slots__ = ("_lines", "name")
    name: str
    _lines: tuple[str, ...]

    def __new__(cls, name: str, value: str, *lines: str) -> Self:
        """``lines`` are sent, the first after the name; without any, the value is."""
        self = super().__new__(cls, value)
        self.name, self._lines = name, lines or (value,)
        return self

    def fold(self, *, policy: Policy) -> str:
        """The whole header with line ends. The standard library's generators call it."""
        return f"{self.name}: {f'{policy.linesep} '.join(self._lines)}{policy.linesep}"


def text_header(name: str, text: str) -> MailHeader:
    """A header with a text on one line, without control and bidi characters."""
    shown = sanitize(text)
    verbatim = shown.isascii() and _ENCODED_WORD_BEGIN not in shown and _fits(name, shown)
    return MailHeader(name, shown, *(() if verbatim else encoded_words(shown)))


def mailbox_header(name: str, shown: str, address: str) -> MailHeader:
    """A header with one mailbox. ``address`` comes from ``smtp_address`` in tables/text."""
    shown = sanitize(shown)
    if not shown:
        return MailHeader(name, address)
    value = f"{shown} <{address}>"
    if _ATOMS.fullmatch(shown) and _ENCODED_WORD_BEGIN not in shown and _fits(name, value):
        return MailHeader(name, value)
    lines = (*encoded_words(shown), f"<{address}>")
    return MailHeader(name, " ".join(lines), *lines)


def encoded_words(text: str) -> Iterator[str]:
    """A text as encoded words of at most 75 characters, none of which splits a character."""
    piece = b""
    for character in text:
        encoded = character.encode()
        if len(piece) + len(encoded) > ENCODED_WORD_MAX_BYTES:
            yield _word(piece)
            piece = b""
        piece += encoded
    yield _word(piece)


def _word(piece: bytes) -> str:
    return f"=?utf-8?b?{b64encode(piece).decode()}?="


def _fits(name: str, value: str) -> bool:
    return len(name) + len(": ") + len(value) <= LINE_MAX_CHARS
