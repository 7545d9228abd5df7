"""What a browser sends of a form that nobody touched (HTML standard, 4.10.22), after parsing the page."""

from html.parser import HTMLParser


class _Forms(HTMLParser):
    """The fields of every form by its action."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._fields: dict[str, str] = {}
        self._text_area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        name = given.get("name") or ""
        if tag == "form":
            self._fields = self.forms.setdefault(given.get("action") or "", {})
        elif tag == "input" and name:
            self._fields[name] = _one_line(given.get("value") or "")
        elif tag == "textarea":
            self._text_area = name
            self._fields[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in self._fields):
            self._fields[self._select] = given["value"] or "" if "value" in given else "\N{UNIT SEPARATOR}"

    def handle_data(self, data: str) -> None:
        if self._text_area is not None:
            self._fields[self._text_area] += data
        elif self._select and self._fields.get(self._select) == "\N{UNIT SEPARATOR}":
            self._fields[self._select] = data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text_area is not None:
            text = self._fields[self._text_area].replace("\r\n", "\n").replace("\r", "\n")
            self._fields[self._text_area] = text.removeprefix("\n").replace("\n", "\r\n")
            self._text_area = None
        elif tag == "select":
            self._select = None


def sent_by_browser(page: str, action: str) -> dict[str, str]:
    """All fields of the page's form for that path, as a browser sends them."""
    parser = _Forms()
    parser.feed(page)
    parser.close()
    return parser.forms[action]


def _one_line(text: str) -> str:
    return text.replace("\r", "").replace("\n", "")
