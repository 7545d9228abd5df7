"""A worker: the application with all its agents, checked before it reads anything."""

from settings import Settings
from streams.app import App, make_app
from streams.catalogue import CatalogueAgent
from streams.contacts import ContactsAgent
from streams.indexer import IndexerAgent
from streams.ledger import LedgerAgent
from streams.mailer import MailerAgent
from streams.notifications import NotificationsAgent
from streams.sales import SalesAgent
from streams.views import Views


def make_worker(settings: Settings) -> App:
    """The application of one worker process."""
    app = make_app(settings)
    ledger = LedgerAgent(app)
    CatalogueAgent(app)
    IndexerAgent(app)
    contacts = ContactsAgent(app)
    NotificationsAgent(app)
    MailerAgent(app, contacts)
    SalesAgent(app)
    Views(app, ledger)
    return app
