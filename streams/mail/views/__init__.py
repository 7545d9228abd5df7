"""The web views of the role notifications: bookings, and contacts without names and addresses."""

from streams.mail.bookings import Bookings
from streams.mail.contacts import ContactsAgent
from streams.mail.views.bookings import BookingViews
from streams.mail.views.contacts import ContactViews
from streams.mail.views.operations import OPERATIONS
from streams.mail.views.overview import MailOverview
from streams.runtime.app import App
from streams.runtime.web_document import DocumentView

__all__ = ["MailViews"]


class MailViews:
    """All views of one worker of the role notifications."""

    def __init__(self, app: App, bookings: Bookings, contacts: ContactsAgent) -> None:
        # Not the last page: Faust's own page, which comes next, is at / too, and aiohttp joins neighbours of one path.
        MailOverview(app, BookingViews(app, bookings.table), ContactViews(app, contacts.table))
        DocumentView(app, OPERATIONS)
