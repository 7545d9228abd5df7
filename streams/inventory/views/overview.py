"""The page for people at ``/``: events with their stock, the holds that end first, partitions and workers."""

import base64
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment, StrictUndefined

from streams.inventory.views.events import EVENTS_PATH, EventViews
from streams.inventory.views.holds import OK, HoldViews
from streams.inventory.views.partitions import PartitionViews
from streams.runtime.app import App
from streams.runtime.assignment import worker_urls
from streams.runtime.web import BytesResponse, Request, Response, add_page, bytes_response
from streams.runtime.web_problems import RequestProblem
from tables.times import from_milliseconds

HOLDS_SHOWN: Final = 20
STYLE: Final = (
    "body{font:16px/1.4 sans-serif;margin:2em auto;max-width:70em;padding:0 1em}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #bbb;padding:.3em;text-align:left;"
    "overflow-wrap:anywhere}"
)
_STYLE_HASH: Final = base64.b64encode(sha256(STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
}
_environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_template = _environment.from_string(Path(__file__).with_name("overview.html").read_text())


class OverviewPage:
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
        if not isinstance(answer, BytesResponse) or answer.status != OK or not isinstance(answer.body, bytes):
            return answer
        found = msgspec.json.decode(answer.body)
        text = _template.render(
            style=STYLE,
            events=found["items"],
            next=found["next"],
            holds=await self._first_holds(request),
            partitions=self._partitions.owners(),
            workers=worker_urls(self.app),
        )
        return bytes_response(text.encode(), content_type="text/html; charset=utf-8", headers=HEADERS)

    async def _first_holds(self, request: Request) -> list[dict[str, Any]] | None:
        """None while they can't be read."""
        try:
            holds = (await self._holds.first(request, HOLDS_SHOWN, b"")).items
        except RequestProblem:
            return None
        return [{**msgspec.to_builtins(hold), "ends": _moment(hold.deadline)} for hold in holds]


def _moment(at_ms: int) -> str:
    return from_milliseconds(at_ms).strftime("%Y-%m-%d %H:%M:%S")
