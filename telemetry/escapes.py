"""Escaping of untrusted text for log lines and terminals."""

import json


def escaped(text: str) -> str:
    """The text with escapes for line breaks, bidi characters and control characters."""
    return text if text.isprintable() else "".join(map(_escape, text))


def escaped_json(text: str) -> str:
    """The same for a JSON text; its value stays the same."""
    return text if text.isprintable() else "".join(map(_escape_json, text))


def _escape(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


def _escape_json(letter: str) -> str:
    return letter if letter.isprintable() else json.dumps(letter)[1:-1]
