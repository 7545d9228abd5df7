"""The web views of the role notifications: bookings, and contacts without names and addresses."""

from pathlib import Path
from typing import Final

from streams.mail.bookings import Bookings
from streams.mail.contacts import ContactsAgent
from streams.mail.views.bookings import BOOKINGS_PATH, BookingViews
from streams.mail.views.contacts import CONTACTS_PATH, ContactViews
from streams.mail.views.operations import OPERATIONS
from streams.runtime.app import App
from streams.runtime.web_lists_page import ListsPage

TEMPLATE: Final = Path(__file__).with_name("overview.html")


def add_views(app: App, bookings: Bookings, contacts: ContactsAgent) -> None:
    """Add all views of one worker of the role notifications."""
    lists = {
        "bookings": (BookingViews(app, bookings.table).listed, BOOKINGS_PATH),
        "contacts": (ContactViews(app, contacts.table).listed, CONTACTS_PATH),
    }
    ListsPage(app, TEMPLATE, lists, OPERATIONS)
