"""Headers of mails (RFC 5322, 2047), written here alone: the lines that are sent, in ASCII, whatever the text holds.

Python's own folding decodes what looks like an encoded word, so that a title could bring headers along. These headers
bring their lines with them, and the generators of the standard library write such lines as they are.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from email.policy import Policy
from typing import Final, Self

from tables.text.sanitize import plain

LINE_MAX_CHARACTERS: Final = 76
# Its base64 and the mark-up of an encoded word fit a line that begins with "Subject: ".
PIECE_MAX_BYTES: Final = 39
_MARK: Final = "=?"
_ATOMS: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?: [\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)


class MailHeader(str):
    """A header's value: as text what it says, ``fold`` gives what is sent. ``EmailMessage`` keeps it as it is."""

    __slots__ = ("_lines", "name")
    name: str
    _lines: tuple[str, ...]

    def __new__(cls, name: str, value: str, *lines: str) -> Self:
        """``lines`` are sent, the first one behind the name; without any it is the value."""
        header = super().__new__(cls, value)
        header.name, header._lines = name, lines or (value,)
        return header

    def fold(self, *, policy: Policy) -> str:
        """The whole header with its line ends; called by the generators of the standard library."""
        return f"{self.name}: {f'{policy.linesep} '.join(self._lines)}{policy.linesep}"


def text_header(name: str, text: str) -> MailHeader:
    """A header that says a text, on one line without control characters and marks of direction."""
    shown = plain(text)
    as_it_is = shown.isascii() and _MARK not in shown and _fits(name, shown)
    return MailHeader(name, shown, *(() if as_it_is else encoded_words(shown)))


def mailbox_header(name: str, shown: str, address: str) -> MailHeader:
    """A header with one mailbox. ``address`` is one already, as ``smtp_address`` of tables/text gives it."""
    shown = plain(shown)
    if not shown:
        return MailHeader(name, address)
    value = f"{shown} <{address}>"
    if _ATOMS.fullmatch(shown) and _MARK not in shown and _fits(name, value):
        return MailHeader(name, value)
    lines = (*encoded_words(shown), f"<{address}>")
    return MailHeader(name, " ".join(lines), *lines)


def encoded_words(text: str) -> Iterator[str]:
    """Encoded words of at most 75 characters that together say a text; each has whole characters."""
    piece = b""
    for character in text:
        encoded = character.encode()
        if len(piece) + len(encoded) > PIECE_MAX_BYTES:
            yield _word(piece)
            piece = b""
        piece += encoded
    yield _word(piece)


def _word(piece: bytes) -> str:
    return f"=?utf-8?b?{b64encode(piece).decode()}?="


def _fits(name: str, value: str) -> bool:
    return len(name) + 2 + len(value) <= LINE_MAX_CHARACTERS
