"""The web views of the gate."""

from pathlib import Path
from typing import Final

from streams.gate.views.operations import OPERATIONS
from streams.gate.views.quotas import QUOTAS_PATH, QuotaViews
from streams.runtime.app import App
from streams.runtime.table import OffsetTable
from streams.runtime.web_document import DocumentView
from streams.runtime.web_lists_page import ListsPage

__all__ = ["GateViews"]

TEMPLATE: Final = Path(__file__).with_name("overview.html")


class GateViews:
    """All views of one worker of the gate."""

    def __init__(self, app: App, table: OffsetTable) -> None:
        # Not the last page: Faust's own page, which comes next, is at / too, and aiohttp joins neighbours of one path.
        ListsPage(app, TEMPLATE, {"quotas": (QuotaViews(app, table).listed, QUOTAS_PATH)})
        DocumentView(app, OPERATIONS)
