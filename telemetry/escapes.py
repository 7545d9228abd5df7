"""Escaping of untrusted text for log lines and terminals."""

import json


def escaped(text: str) -> str:
    """The text with escapes for line breaks, bidi characters and control characters."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def escaped_json(text: str) -> str:
    """The same for a JSON text; its value stays the same."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
