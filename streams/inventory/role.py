"""The role `ledger`."""

from streams.inventory.event_definitions import EventDefinitionsAgent
from streams.inventory.ledger import LedgerAgent
from streams.inventory.views import InventoryViews
from streams.runtime.app import App


def add_agents(app: App) -> None:
    """Add the agents and views of this role."""
    ledger = LedgerAgent(app)
    EventDefinitionsAgent(app)
    InventoryViews(app, ledger)
