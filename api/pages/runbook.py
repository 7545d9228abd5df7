"""The runbook, docs/operations.md, as HTML with an anchor for each section."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

SOURCE: Final = Path(__file__).parents[2] / "docs" / "operations.md"
# Other pages of docs/ are not served; they are named.
_OTHER_PAGE: Final = re.compile(r"\[[^]]+\]\(([\w-]+\.md)(?:#[\w-]+)?\)")
_NO_WORD: Final = re.compile(r"[^\w -]")
# A wide table scrolls by itself, by keyboard too.
_TABLE_OPEN: Final = '<div class="scroll" tabindex="0" role="group" aria-label="Table">\n<table class="table">\n'
_TABLE_CLOSE: Final = "</table>\n</div>\n"


@cache
def runbook() -> Markup:
    """The text below the title. Raises OSError if the file can't be read."""
    markdown = MarkdownIt("js-default")
    markdown.add_render_rule("heading_open", _heading_open)
    markdown.add_render_rule("table_open", lambda *_: _TABLE_OPEN)
    markdown.add_render_rule("table_close", lambda *_: _TABLE_CLOSE)
    _, _, text = SOURCE.read_text(encoding="utf-8").partition("\n")
    return Markup(markdown.render(_OTHER_PAGE.sub(r"`docs/\1`", text)))  # noqa: S704 (HTML in the text is escaped)


def anchor(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return _NO_WORD.sub("", heading.strip().lower()).replace(" ", "-")


def _heading_open(_: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return f'<{tokens[index].tag} id="{anchor(tokens[index + 1].content)}">'
