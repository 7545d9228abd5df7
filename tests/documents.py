"""A page as an HTML parser sees it, so that two pages can be compared."""

from html.parser import HTMLParser
from typing import Final, NamedTuple

VOID: Final = frozenset({"meta", "link", "input", "br", "img", "hr"})


class Place(NamedTuple):
    """A text or an attribute's value, and where it stands; a text's attribute is empty."""

    tag: str
    attribute: str
    value: str


class Document(HTMLParser):
    """All places of a page, in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._open: list[str] = []
        self.places: list[Place] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins: each of its attributes is a place, and its text another."""
        self.places += [Place(tag, name, value or "") for name, value in attrs]
        self._open.append(tag)
        self.places.append(Place(tag, "", ""))
        if tag in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """It ends; what follows is the text of those around it."""
        while self._open and self._open.pop() != tag:
            pass
        self.places.append(Place(self._open[-1] if self._open else "", "", ""))

    def handle_data(self, data: str) -> None:
        """More of the text where we are."""
        last = self.places.pop() if self.places else Place("", "", "")
        self.places.append(last._replace(value=last.value + data))

    def handle_comment(self, data: str) -> None:
        """No page of ours has any."""
        self.places.append(Place("comment", "", data))
