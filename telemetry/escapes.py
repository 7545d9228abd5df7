"""Text that others wrote, in a line of a log or on a terminal."""

import json


def escaped(text: str) -> str:
    """The text with an escape for whatever ends a line, turns its direction or tells a terminal something."""
    return text if text.isprintable() else "".join(map(_escape, text))


def escaped_json(text: str) -> str:
    """The same for a JSON text, which says afterwards what it said before."""
    return text if text.isprintable() else "".join(map(_escape_json, text))


def _escape(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


def _escape_json(letter: str) -> str:
    return letter if letter.isprintable() else json.dumps(letter)[1:-1]
