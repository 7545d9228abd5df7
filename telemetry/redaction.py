"""Taking out of a text what must not stand in a log: addresses, tokens, passwords in addresses, quoted values."""

import re
from typing import Final

LONGEST: Final = 300
# Of longer texts the beginning is told; what an address may have in letters is left out before the cut.
TEXT_MAX_CHARACTERS: Final = 8_000
ADDRESS_MAX_CHARACTERS: Final = 320

_TOKEN: Final = re.compile(
    r"(?<![\w-])eyJ[\w-]+(?:\.[\w-]*){1,4}|(?i:\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}|(?<=[?&]link=)[\w.-]+"
)
_LOGIN: Final = re.compile(r"(?<=://)[^/\s@]+@")
# Letters of all kinds, and the marks that follow them.
_ATOM: Final = r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]"
_LABEL: Final = r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f.'/?#&=!]"
# Like a token from its first letter on alone: to begin anew within a long word would take the square of its length.
_ADDRESS: Final = re.compile(rf"(?<!{_ATOM}){_ATOM}+@{_LABEL}+(?:\.{_LABEL}+)+")
_UNFINISHED: Final = re.compile(rf"(?:{_ATOM}|@)+\Z")
_QUOTED: Final = re.compile(r"b?\"(?:[^\"\\]|\\.)*\"|b?(?<!\w)'(?:[^'\\]|\\.)*'|[„“”«»][^„“”«»]*[“”«»]", re.DOTALL)
_EXCEPTION: Final = re.compile(r"(?<=exception=)\w+\(.*\)", re.DOTALL)
_MARK: Final = "…"


def harmless(text: str, *, quoted: bool = False) -> str:
    """The text without addresses and secrets; where ``quoted``, without the errors and values that it quotes."""
    text = _TOKEN.sub("<token>", _LOGIN.sub("<login>@", _beginning(text)))
    text = _ADDRESS.sub("<address>", text)
    return _EXCEPTION.sub(_MARK, text) if quoted else text


def _beginning(text: str) -> str:
    """The text, or its beginning without an address that is cut through."""
    if len(text) <= TEXT_MAX_CHARACTERS:
        return text
    sure = TEXT_MAX_CHARACTERS - ADDRESS_MAX_CHARACTERS
    return text[:sure] + _UNFINISHED.sub("", text[sure:TEXT_MAX_CHARACTERS]) + _MARK


def said(error: BaseException) -> str:
    """An exception's type and the first line of what it says, without values."""
    first = str(error).strip().partition("\n")[0]
    words = harmless(_QUOTED.sub(_MARK, first))[:LONGEST]
    kind = type(error).__name__
    return f"{kind}: {words}" if words else kind
