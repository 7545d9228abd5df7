"""The role `notifications`."""

from streams.mail.bookings import Bookings
from streams.mail.contacts import ContactsAgent
from streams.mail.mailer import MailerAgent
from streams.mail.notifications import NotificationsAgent
from streams.mail.reminders import Reminders
from streams.mail.requeue import ResendsAgent, RetriesAgent
from streams.mail.views import add_views
from streams.runtime.app import App


def add_agents(app: App) -> None:
    """Add the agents of this role."""
    bookings = Bookings(app)
    notifications = NotificationsAgent(app, bookings)
    Reminders(app, bookings, notifications.is_caught_up)
    ResendsAgent(app, bookings, notifications.is_caught_up)
    contacts = ContactsAgent(app)
    MailerAgent(app, contacts)
    RetriesAgent(app)
    add_views(app, bookings, contacts)
