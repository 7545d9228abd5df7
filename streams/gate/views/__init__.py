"""The web views of the gate."""

from pathlib import Path
from typing import Final

from streams.gate.views.operations import OPERATIONS
from streams.gate.views.quotas import QUOTAS_PATH, QuotaViews
from streams.runtime.app import App
from streams.runtime.table import OffsetTable
from streams.runtime.web_lists_page import ListsPage

TEMPLATE: Final = Path(__file__).with_name("overview.html")


def add_views(app: App, table: OffsetTable) -> None:
    """Add all views of one worker of the gate."""
    ListsPage(app, TEMPLATE, {"quotas": (QuotaViews(app, table).listed, QUOTAS_PATH)}, OPERATIONS)
