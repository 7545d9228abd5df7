"""``turnstile docs runbooks``: the sections of docs/operations.md as a dashboard for those who watch."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from ops.reference.generated import ROOT, page_command

SOURCE: Final = ROOT / "docs" / "operations.md"
PAGE: Final = ROOT / "ops" / "grafana" / "dashboards" / "runbooks.json"
UID: Final = "turnstile-runbooks"
GRID_WIDTH: Final = 24
LINE_CHARS: Final = 150
HEIGHT_MIN: Final = 4
_HEADING: Final = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
_LINK: Final = re.compile(r"\[([^]]+)\]\(([\w./-]*\.md)?(?:#([\w-]+))?\)")


def page() -> str:
    """The dashboard's JSON: a panel for each section that has a text."""
    parts = _HEADING.split(SOURCE.read_text())[1:]
    sections = {title: text.strip() for title, text in zip(parts[::2], parts[1::2], strict=True) if text.strip()}
    numbers = {_anchor(title): number for number, title in enumerate(sections, 1)}
    panels, top = [], 0
    for number, (title, text) in enumerate(sections.items(), 1):
        panels.append(_panel(number, title, _with_links(text, numbers), top))
        top += panels[-1]["gridPos"]["h"]
    dashboard = {
        "uid": UID,
        "title": "Runbooks",
        "description": "What to do about each alert; made from docs/operations.md by `turnstile docs runbooks --write`",
        "tags": ["turnstile"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "links": [{"title": "Dashboards", "type": "dashboards", "tags": ["turnstile"], "asDropdown": False}],
        "panels": panels,
    }
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


def _panel(number: int, title: str, text: str, top: int) -> dict[str, Any]:
    lines = sum(1 + len(line) // LINE_CHARS for line in text.splitlines())
    place = {"x": 0, "y": top, "w": GRID_WIDTH, "h": HEIGHT_MIN + lines}
    return {
        "id": number,
        "type": "text",
        "title": title,
        "gridPos": place,
        "options": {"mode": "markdown", "content": text},
    }


def _with_links(text: str, numbers: Mapping[str, int]) -> str:
    """The text whose links to sections lead to their panels; a link to another page becomes that page's name."""

    def link(match: re.Match[str]) -> str:
        words, other, section = match.groups()
        if other:
            return f"{words} (docs/{other})" if words != other else f"docs/{other}"
        return f"[{words}](/d/{UID}?viewPanel={numbers[section]})" if section in numbers else str(words)

    return _LINK.sub(link, text)


def _anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


command = page_command("runbooks", PAGE, page)
