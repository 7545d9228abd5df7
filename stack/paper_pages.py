"""Paper's pages: the books, and the page where a buyer approves, declines, delays or loses a payment."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader

DISPUTE: Final = "dispute"
PAGE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
CHOICES: Final = {
    "approve": "Approve",
    "decline": "Decline",
    "delay": "Approve, and tell the shop a minute later",
    "lose": "Approve, and never tell the shop",
}
# Of a payment that is captured.
LATER_CHOICES: Final = {DISPUTE: "Dispute it, as the owner of the card"}
_pages: Final = Environment(autoescape=True, loader=FileSystemLoader(Path(__file__).with_name("paper_templates")))


def books_page(payments: Sequence[Mapping[str, Any]]) -> str:
    """The newest payments."""
    return _pages.get_template("books.html").render(title="Paper's books", payments=payments)


def pay_page(payment: Mapping[str, Any], choices: Mapping[str, str]) -> str:
    """The page of a payment, with a button for each choice."""
    return _pages.get_template("pay.html").render(title="Pay on Paper", one=payment, choices=choices)
