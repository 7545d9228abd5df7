"""The role `sales`."""

from streams.projections.deliveries import DeliveriesAgent
from streams.projections.purchases import PurchasesAgent
from streams.projections.stock import StockAgent
from streams.projections.upserts import UpsertsAgent
from streams.runtime.app import App


def add_agents(app: App) -> None:
    """Add the agents of this role."""
    PurchasesAgent(app)
    DeliveriesAgent(app)
    StockAgent(app)
    UpsertsAgent(app)
