"""The web views of the gate."""

from streams.gate.views.operations import OPERATIONS
from streams.gate.views.overview import GateOverview
from streams.gate.views.quotas import QuotaViews
from streams.runtime.app import App
from streams.runtime.table import OffsetTable
from streams.runtime.web_document import DocumentView

__all__ = ["GateViews"]


class GateViews:
    """All views of one worker of the gate."""

    def __init__(self, app: App, table: OffsetTable) -> None:
        # Not the last page: Faust's own page, which comes next, is at / too, and aiohttp joins neighbours of one path.
        GateOverview(app, QuotaViews(app, table))
        DocumentView(app, OPERATIONS)
