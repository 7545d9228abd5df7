"""A worker: the application with the agents of its role, checked before it reads anything."""

from collections.abc import Callable
from typing import Final

from settings import Role, Settings
from streams.inventory.event_definitions import CatalogueAgent
from streams.inventory.ledger import LedgerAgent
from streams.inventory.views import Views
from streams.mail.bookings import Bookings
from streams.mail.contacts import ContactsAgent
from streams.mail.mailer import MailerAgent
from streams.mail.notifications import NotificationsAgent
from streams.mail.reminders import Reminders
from streams.mail.resends import ResendsAgent
from streams.mail.retries import RetriesAgent
from streams.projections.deliveries import DeliveriesAgent
from streams.projections.purchases import SalesAgent
from streams.projections.stock import StockAgent
from streams.runtime.app import App, make_app
from streams.runtime.continuity import Continuity
from streams.runtime.health import Health
from streams.runtime.metrics import Metrics
from streams.runtime.unreadable import UnreadableRecords
from streams.runtime.watchdog import Pulse
from streams.search.indexer import IndexerAgent


def make_worker(settings: Settings) -> App:
    """The application of one worker process."""
    app = make_app(settings)
    pulse = Pulse(app)
    Health(app, pulse)
    Metrics(app, pulse)
    UnreadableRecords(app)
    Continuity(app)
    AGENTS[settings.role](app)
    return app


def _ledger(app: App) -> None:
    ledger = LedgerAgent(app)
    CatalogueAgent(app)
    Views(app, ledger)


def _notifications(app: App) -> None:
    bookings = Bookings(app)
    notifications = NotificationsAgent(app, bookings)
    Reminders(app, bookings, notifications.caught_up)
    ResendsAgent(app, bookings)
    MailerAgent(app, ContactsAgent(app))
    RetriesAgent(app)


def _sales(app: App) -> None:
    SalesAgent(app)
    DeliveriesAgent(app)
    StockAgent(app)


AGENTS: Final[dict[Role, Callable[[App], object]]] = {
    "ledger": _ledger,
    "indexer": IndexerAgent,
    "notifications": _notifications,
    "sales": _sales,
}
