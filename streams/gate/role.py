"""The role `gate`."""

from streams.gate.accounts import KnownAccounts
from streams.gate.answers import AnswersAgent
from streams.gate.events import KnownEvents
from streams.gate.journal import Journal
from streams.gate.requests import RequestsAgent
from streams.gate.views import add_views
from streams.runtime.app import App


def add_agents(app: App) -> None:
    """Add the agents of this role: one for the requests of each producer, one for the answers to all."""
    journal, accounts, events = Journal(app), KnownAccounts(app), KnownEvents(app)
    for producer in app.settings.producer_quotas:
        RequestsAgent(app, producer, journal, accounts, events)
    AnswersAgent(app, journal)
    add_views(app, journal.table)
