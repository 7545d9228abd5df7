"""A worker: the application with the agents of its role, checked before it reads anything."""

from collections.abc import Callable
from typing import Final

from settings import Role, Settings
from streams.app import App, make_app
from streams.bookings import Bookings
from streams.catalogue import CatalogueAgent
from streams.contacts import ContactsAgent
from streams.deliveries import DeliveriesAgent
from streams.health import Health
from streams.indexer import IndexerAgent
from streams.ledger import LedgerAgent
from streams.mailer import MailerAgent
from streams.metrics import Metrics
from streams.notifications import NotificationsAgent
from streams.pulse import Pulse
from streams.reminders import Reminders
from streams.resends import ResendsAgent
from streams.retries import RetriesAgent
from streams.runtime.continuity import Continuity
from streams.sales import SalesAgent
from streams.stock import StockAgent
from streams.unreadable import UnreadableRecords
from streams.views import Views


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
