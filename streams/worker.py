"""A worker: the application with the agents of its role."""

from pkgutil import resolve_name
from typing import Final

from settings import Role, Settings
from streams.runtime.app import App, make_app
from streams.runtime.continuity import Continuity
from streams.runtime.health import HealthPages, Watchdog
from streams.runtime.metrics import MetricsPage
from streams.runtime.unreadable import UnreadableRecords

# What adds the agents of a role. Each process imports its own role alone: all of them take half a second more.
AGENTS: Final[dict[Role, str]] = {
    "ledger": "streams.inventory.role:add_agents",
    "indexer": "streams.search.indexer:IndexerAgent",
    "notifications": "streams.mail.role:add_agents",
    "sales": "streams.projections.role:add_agents",
    "gate": "streams.gate.role:add_agents",
    "payments": "streams.payments.role:add_agents",
}


def make_worker(settings: Settings) -> App:
    """The application of one worker process."""
    app = make_app(settings)
    watchdog = Watchdog(app)
    HealthPages(app, watchdog)
    MetricsPage(app, watchdog)
    UnreadableRecords(app)
    Continuity(app)
    resolve_name(AGENTS[settings.role])(app)
    return app
