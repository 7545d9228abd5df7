"""The web views of the role payments."""

from streams.payments.views.operations import OPERATIONS
from streams.payments.views.overview import PaymentsOverview
from streams.payments.views.payments import PaymentViews
from streams.runtime.app import App
from streams.runtime.table import OffsetTable
from streams.runtime.web_document import DocumentView

__all__ = ["RoleViews"]


class RoleViews:
    """All views of one worker of the role payments."""

    def __init__(self, app: App, table: OffsetTable) -> None:
        # Not the last page: Faust's own page, which comes next, is at / too, and aiohttp joins neighbours of one path.
        PaymentsOverview(app, PaymentViews(app, table))
        DocumentView(app, OPERATIONS)
