"""The page for people at ``/``: events with their stock, the holds that end first, partitions and workers."""

from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from streams.inventory.views.events import EVENTS_PATH, EventViews
from streams.inventory.views.holds import HoldViews
from streams.inventory.views.partitions import PartitionViews
from streams.runtime.app import App
from streams.runtime.assignment import worker_urls
from streams.runtime.web import Request, Response, add_page, body_of
from streams.runtime.web_html import html_response, read_template
from streams.runtime.web_problems import RequestProblem
from tables.ledger.views import HoldView

HOLDS_SHOWN: Final = 20
_template = read_template(Path(__file__).with_name("overview.html"))


class LedgerOverview:
    """The page of one worker, which shows the events of all, a page at a time."""

    def __init__(self, app: App, events: EventViews, holds: HoldViews, partitions: PartitionViews) -> None:
        self.app = app
        self._events = events
        self._holds = holds
        self._partitions = partitions
        add_page(app, "/", "overview", self.page)

    async def page(self, request: Request) -> Response:
        """The page, or the problem that the list of events has."""
        query = {name: request.query[name] for name in ("cursor",) if name in request.query}
        answer = await self._events.listed(request, f"{EVENTS_PATH}?{urlencode(query)}")
        if (found := body_of(answer)) is None:
            return answer
        return html_response(
            _template,
            events=found["items"],
            next=found["next"],
            holds=await self._first_holds(request),
            partitions=self._partitions.owners(),
            workers=worker_urls(self.app),
        )

    async def _first_holds(self, request: Request) -> list[HoldView] | None:
        """None while they can't be read."""
        try:
            return (await self._holds.first(request, HOLDS_SHOWN, b"")).items
        except RequestProblem:
            return None
