"""Redaction of text for logs: removes e-mail addresses, tokens, passwords in URLs, and quoted values."""

import re
from typing import Final

ERROR_MAX_CHARS: Final = 300
# Longer texts are cut. An address that the cut may have split is removed with the characters before it.
TEXT_MAX_CHARS: Final = 8_000
ADDRESS_MAX_CHARS: Final = 320

_TOKEN: Final = re.compile(
    r"(?<![\w-])eyJ[\w-]+(?:\.[\w-]*){1,4}|(?i:\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}|(?<=[?&]link=)[\w.-]+"
)
_LOGIN: Final = re.compile(r"(?<=://)[^/\s@]+@")
# The characters of an address's local part, and of a label of its domain.
_ATOM: Final = r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]"
_LABEL: Final = r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f.'/?#&=!]"
# It matches from the first character of a word only: starting within long words would take quadratic time.
_ADDRESS: Final = re.compile(rf"(?<!{_ATOM}){_ATOM}+@{_LABEL}+(?:\.{_LABEL}+)+")
_UNFINISHED: Final = re.compile(rf"(?:{_ATOM}|@)+\Z")
_QUOTED: Final = re.compile(r"b?\"(?:[^\"\\]|\\.)*\"|b?(?<!\w)'(?:[^'\\]|\\.)*'|[„“”«»][^„“”«»]*[“”«»]", re.DOTALL)
_EXCEPTION: Final = re.compile(r"(?<=exception=)\w+\(.*\)", re.DOTALL)
_REMOVED: Final = "…"


def redact(text: str, *, quoted: bool = False) -> str:
    """The text without addresses and secrets; if ``quoted``, also without quoted exceptions."""
    text = _TOKEN.sub("<token>", _LOGIN.sub("<login>@", _beginning(text)))
    text = _ADDRESS.sub("<address>", text)
    return _EXCEPTION.sub(_REMOVED, text) if quoted else text


def _beginning(text: str) -> str:
    """The text, or its beginning without an address split by the cut."""
    if len(text) <= TEXT_MAX_CHARS:
        return text
    safe = TEXT_MAX_CHARS - ADDRESS_MAX_CHARS
    return text[:safe] + _UNFINISHED.sub("", text[safe:TEXT_MAX_CHARS]) + _REMOVED


def redacted_error(error: BaseException) -> str:
    """An exception's type and the first line of its text, without values."""
    first = str(error).strip().partition("\n")[0]
    text = redact(_QUOTED.sub(_REMOVED, first))[:ERROR_MAX_CHARS]
    name = type(error).__name__
    return f"{name}: {text}" if text else name
