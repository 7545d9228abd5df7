"""A worker: the application with the agents of its role."""

from collections.abc import Callable
from typing import Final

from settings import Role, Settings
from streams.gate.accounts import Accounts
from streams.gate.answers import AnswersAgent
from streams.gate.events import KnownEvents
from streams.gate.journal import Journal
from streams.gate.requests import RequestsAgent
from streams.inventory.event_definitions import EventDefinitionsAgent
from streams.inventory.ledger import LedgerAgent
from streams.inventory.views import InventoryViews
from streams.mail.bookings import Bookings
from streams.mail.contacts import ContactsAgent
from streams.mail.mailer import MailerAgent
from streams.mail.notifications import NotificationsAgent
from streams.mail.reminders import Reminders
from streams.mail.requeue import ResendsAgent, RetriesAgent
from streams.projections.deliveries import DeliveriesAgent
from streams.projections.purchases import PurchasesAgent
from streams.projections.stock import StockAgent
from streams.runtime.app import App, make_app
from streams.runtime.continuity import Continuity
from streams.runtime.health import HealthPages, Watchdog
from streams.runtime.metrics import MetricsPage
from streams.runtime.unreadable import UnreadableRecords
from streams.search.indexer import IndexerAgent


def make_worker(settings: Settings) -> App:
    """The application of one worker process."""
    app = make_app(settings)
    watchdog = Watchdog(app)
    HealthPages(app, watchdog)
    MetricsPage(app, watchdog)
    UnreadableRecords(app)
    Continuity(app)
    AGENTS[settings.role](app)
    return app


def _ledger(app: App) -> None:
    ledger = LedgerAgent(app)
    EventDefinitionsAgent(app)
    InventoryViews(app, ledger)


def _notifications(app: App) -> None:
    bookings = Bookings(app)
    notifications = NotificationsAgent(app, bookings)
    Reminders(app, bookings, notifications.is_caught_up)
    ResendsAgent(app, bookings)
    MailerAgent(app, ContactsAgent(app))
    RetriesAgent(app)


def _sales(app: App) -> None:
    PurchasesAgent(app)
    DeliveriesAgent(app)
    StockAgent(app)


def _gate(app: App) -> None:
    journal, accounts, events = Journal(app), Accounts(app), KnownEvents(app)
    for producer in app.settings.producer_quotas:
        RequestsAgent(app, producer, journal, accounts, events)
    AnswersAgent(app, journal)


AGENTS: Final[dict[Role, Callable[[App], object]]] = {
    "ledger": _ledger,
    "indexer": IndexerAgent,
    "notifications": _notifications,
    "sales": _sales,
    "gate": _gate,
}
