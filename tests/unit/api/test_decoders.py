"""The API makes its decoders at import: msgspec crashes the process if two threads decode a type for the first time."""

import ast
from pathlib import Path

import pytest

API = Path(__file__).parents[3] / "api"


def lazy(source: str) -> list[int]:
    """The lines that decode a type without a decoder, which would have been made at import."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "decode"
        and any(word.arg == "type" for word in call.keywords)
    ]


@pytest.mark.parametrize("path", sorted(API.rglob("*.py")), ids=lambda path: str(path.relative_to(API)))
def test_types_are_decoded_by_decoders_made_at_import(path: Path) -> None:
    assert lazy(path.read_text()) == []


def test_a_type_without_a_decoder_would_be_noticed() -> None:
    assert lazy("claims = msgspec.json.decode(payload, type=Claims)") == [1]
