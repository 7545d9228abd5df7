"""The page for people at ``/``: the first bookings and contacts, and where more are."""

from pathlib import Path
from typing import Any

from streams.mail.views.bookings import BOOKINGS_PATH, BookingViews
from streams.mail.views.contacts import CONTACTS_PATH, ContactViews
from streams.runtime.app import App
from streams.runtime.assignment import worker_urls
from streams.runtime.web import Request, Response, add_page, body_of
from streams.runtime.web_html import html_response, read_template

_template = read_template(Path(__file__).with_name("overview.html"))


class MailOverview:
    """The page of one worker of the role notifications."""

    def __init__(self, app: App, bookings: BookingViews, contacts: ContactViews) -> None:
        self.app = app
        self._bookings = bookings
        self._contacts = contacts
        add_page(app, "/", "overview", self.page)

    async def page(self, request: Request) -> Response:
        """The page, or the problem that a list has."""
        lists: list[dict[str, Any]] = []
        for listed, path in ((self._bookings.listed, BOOKINGS_PATH), (self._contacts.listed, CONTACTS_PATH)):
            answer = await listed(request, path)
            if (found := body_of(answer)) is None:
                return answer
            lists.append(found)
        bookings, contacts = lists
        return html_response(_template, bookings=bookings, contacts=contacts, workers=worker_urls(self.app))
