"""Texts of the board with their values, unsaid: one feed serves readers of several languages."""

from collections.abc import Callable
from typing import Any, Final


class BoardText:
    """An English text with ``{name}`` for each of its values, which are texts or numbers.

    ``many`` is the text for a ``number`` other than one.
    """

    __slots__ = ("many", "text", "values")

    def __init__(self, text: str, many: str, values: dict[str, Any]) -> None:
        self.text = text
        self.many = many
        self.values = values


# Says a text in a language.
Said = Callable[[BoardText], str]
NOTHING: Final = BoardText("", "", {})


def board_text(text: str, **values: Any) -> BoardText:
    """A text with its values."""
    return BoardText(text, "", values)


def untranslated(text: str, **values: Any) -> BoardText:
    """A text that is the same in every language, but for its numbers."""
    return BoardText(text, "", values)


def counted_text(one: str, many: str, number: int, **values: Any) -> BoardText:
    """The text for that ``number``, which is one of its values."""
    return BoardText(one, many, values | {"number": number})
