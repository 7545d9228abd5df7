"""Paper's pages: the books, and the page where a buyer approves, declines, delays or loses a payment."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from jinja2 import DictLoader, Environment

PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
body { font: 16px/1.5 sans-serif; margin: 2em; max-width: 60em } td, th { text-align: left; padding-right: 1em }
button { font: inherit; padding: .4em 1em; margin: 0 .5em .5em 0 }
</style>
<h1>{{ title }}</h1>
{% block body %}{% endblock %}
</html>
"""
BOOKS: Final = """\
{% extends "page" %}
{% block body %}
<p>Paper moves no money. Amounts are in minor units.</p>
<table><tr><th>payment</th><th>state</th><th>currency</th><th>amount</th><th>captured</th><th>refunded</th></tr>
{% for one in payments %}
<tr><td><a href="/pay/{{ one.reference }}">{{ one.reference }}</a></td><td>{{ one.state }}</td>
<td>{{ one.currency }}</td><td>{{ one.amount }}</td><td>{{ one.captured }}</td><td>{{ one.refunded }}</td></tr>
{% endfor %}
</table>
{% endblock %}
"""
PAY: Final = """\
{% extends "page" %}
{% block body %}
<p>{{ one.amount }} {{ one.currency }} (minor units), {{ one.state }}
{% if one.reason %}: {{ one.reason }}{% endif %}</p>
{% if choices %}
<form method="post">
{% for value, label in choices.items() %}<button name="choice" value="{{ value }}">{{ label }}</button>
{% endfor %}
</form>
{% endif %}
{% if one.return_url %}<p><a href="{{ one.return_url }}">Back to the tickets</a></p>{% endif %}
{% endblock %}
"""
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
_pages: Final = Environment(autoescape=True, loader=DictLoader({"page": PAGE, "books": BOOKS, "pay": PAY}))


def books_page(payments: Sequence[Mapping[str, Any]]) -> str:
    """The newest payments."""
    return _pages.get_template("books").render(title="Paper's books", payments=payments)


def pay_page(payment: Mapping[str, Any], choices: Mapping[str, str]) -> str:
    """The page of a payment, with a button for each choice."""
    return _pages.get_template("pay").render(title="Pay on Paper", one=payment, choices=choices)
