"""The page for people at ``/``: the producers' quotas."""

from pathlib import Path

from streams.gate.views.quotas import QUOTAS_PATH, QuotaViews
from streams.runtime.app import App
from streams.runtime.assignment import worker_urls
from streams.runtime.web import Request, Response, add_page, body_of
from streams.runtime.web_html import html_response, read_template

_template = read_template(Path(__file__).with_name("overview.html"))


class GateOverview:
    """The page of one worker of the gate."""

    def __init__(self, app: App, quotas: QuotaViews) -> None:
        self.app = app
        self._quotas = quotas
        add_page(app, "/", "overview", self.page)

    async def page(self, request: Request) -> Response:
        """The page, or the problem that the list has."""
        answer = await self._quotas.listed(request, QUOTAS_PATH)
        if (quotas := body_of(answer)) is None:
            return answer
        return html_response(_template, quotas=quotas, workers=worker_urls(self.app))
