"""Untrusted text in a line can't break it or control a terminal, and escaped JSON keeps its value."""

import json

import pytest
from hypothesis import example, given

from telemetry.escapes import escaped, escaped_json
from tests.hostile import HALVES


@given(HALVES)
def test_a_line_is_printable(text: str) -> None:
    assert escaped(text).isprintable()
    assert escaped(escaped(text)) == escaped(text)


@given(HALVES)
@example("\ud800\udfff")
def test_json_is_printable_and_read_back_as_it_was(text: str) -> None:
    line = escaped_json(json.dumps({"text": text}, ensure_ascii=False))
    assert line.isprintable()
    assert json.loads(line) == json.loads(json.dumps({"text": text}))  # in which two halves are one letter


@pytest.mark.parametrize("text", ["", "Müller, 東京 🚀", "a\\n [x]"])
def test_what_is_printable_stays(text: str) -> None:
    assert escaped(text) == escaped_json(text) == text


def test_what_is_not_is_an_escape() -> None:
    assert escaped("a\x1b[31m\u202e\n\ud800") == "a\\x1b[31m\\u202e\\n\\ud800"
