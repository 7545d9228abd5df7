"""The page for people at ``/``: the first payments, and where more are."""

from pathlib import Path

from streams.payments.views.payments import PAYMENTS_PATH, PaymentViews
from streams.runtime.app import App
from streams.runtime.assignment import worker_urls
from streams.runtime.web import Request, Response, add_page, body_of
from streams.runtime.web_html import html_response, read_template

_template = read_template(Path(__file__).with_name("overview.html"))


class PaymentsOverview:
    """The page of one worker of the role payments."""

    def __init__(self, app: App, payments: PaymentViews) -> None:
        self.app = app
        self._payments = payments
        add_page(app, "/", "overview", self.page)

    async def page(self, request: Request) -> Response:
        """The page, or the problem that the list has."""
        answer = await self._payments.listed(request, PAYMENTS_PATH)
        if (payments := body_of(answer)) is None:
            return answer
        return html_response(_template, payments=payments, workers=worker_urls(self.app))
