"""The web views of the role payments."""

from pathlib import Path
from typing import Final

from streams.payments.views.operations import OPERATIONS
from streams.payments.views.payments import PAYMENTS_PATH, PaymentViews
from streams.runtime.app import App
from streams.runtime.table import OffsetTable
from streams.runtime.web_lists_page import ListsPage

TEMPLATE: Final = Path(__file__).with_name("overview.html")


def add_views(app: App, table: OffsetTable) -> None:
    """Add all views of one worker of the role payments."""
    ListsPage(app, TEMPLATE, {"payments": (PaymentViews(app, table).listed, PAYMENTS_PATH)}, OPERATIONS)
