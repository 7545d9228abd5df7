"""The web views of the role payments."""

from pathlib import Path
from typing import Final

from streams.payments.views.operations import OPERATIONS
from streams.payments.views.payments import PAYMENTS_PATH, PaymentViews
from streams.runtime.app import App
from streams.runtime.table import OffsetTable
from streams.runtime.web_document import DocumentView
from streams.runtime.web_lists_page import ListsPage

__all__ = ["RoleViews"]

TEMPLATE: Final = Path(__file__).with_name("overview.html")


class RoleViews:
    """All views of one worker of the role payments."""

    def __init__(self, app: App, table: OffsetTable) -> None:
        # Not the last page: Faust's own page, which comes next, is at / too, and aiohttp joins neighbours of one path.
        ListsPage(app, TEMPLATE, {"payments": (PaymentViews(app, table).listed, PAYMENTS_PATH)})
        DocumentView(app, OPERATIONS)
