"""Marks what was found in the original texts.

The index has folded texts. So Elasticsearch tells the words that it found, and these are marked in the original.
"""

import re
from html import escape
from typing import Any, Final

from api.schemas.search import Highlights
from api.search.asking import END, MARK, MARKED
from tables.text.folding import fold

WINDOW_CHARACTERS: Final = 160
_MARKED: Final = re.compile(f"{MARK}(.*?){END}")
# As the index tokenizes: Han and Hiragana by character, everything else by word.
_WORDS: Final = re.compile(r"[\u3041-\u309f\u3400-\u9fff]|[\u30a1-\u30fa\u30fc]+|[^\W_\u3041-\u30fc\u3400-\u9fff]+")


def highlights(source: dict[str, Any], found: dict[str, list[str]]) -> Highlights | None:
    """The texts of a hit with marks; None if there is nothing to mark."""
    marked = {}
    for name in MARKED:
        # Adjacent words are marked as one.
        places = [place for piece in found.get(f"folded.{name}", ()) for place in _MARKED.findall(piece)]
        words = {word for place in places for word in _WORDS.findall(place)}
        if words:
            text = source.get(name) or ""
            marked[name] = mark(text, words, WINDOW_CHARACTERS if name == "description" else None)
    return Highlights(**marked) if any(marked.values()) else None


def mark(text: str, words: set[str], window: int | None = None) -> str | None:
    """``text`` as HTML with ``words`` (folded) marked; of a long text, about ``window`` characters around the first."""
    places = [match.span() for match in _WORDS.finditer(text) if fold(match[0]) in words]
    if not places:
        return None
    start, end = _window(text, places[0], window)
    pieces, done = [], start
    for begin, stop in places:
        if begin >= start and stop <= end:
            pieces += [escape(text[done:begin]), "<em>", escape(text[begin:stop]), "</em>"]
            done = stop
    html = "".join([*pieces, escape(text[done:end])]).replace("</em><em>", "")
    return ("…" if start else "") + html + ("…" if end < len(text) else "")


def _window(text: str, place: tuple[int, int], window: int | None) -> tuple[int, int]:
    """The range to show, of whole words if possible."""
    if window is None or len(text) <= window:
        return 0, len(text)
    start = max(0, min(place[0] - window // 3, len(text) - window))
    end = min(len(text), max(start + window, place[1]))
    if start:
        start = text.find(" ", start, place[0]) + 1 or start
    if end < len(text):
        space = text.rfind(" ", place[1], end)
        end = space if space > 0 else end
    return start, end
