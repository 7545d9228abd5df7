"""The page at /docs in a real browser: a token is entered, a purchase is made, nothing comes from elsewhere."""

import json
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.browser import SHOWN_WITHIN_MS, browsing, faults, needs_browser
from tests.pipeline import Pipeline


@needs_browser
def test_a_reader_of_the_docs_signs_in_and_buys(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(3)
    account = pipeline.account()
    order = {"eventId": event, "accountId": account, "lines": [{"ticketTypeId": kind, "quantity": 2}]}
    with browsing() as browser:
        page = browser.new_page(reduced_motion="reduce")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{pipeline.api}/docs")
        page.locator(".opblock").first.wait_for(timeout=SHOWN_WITHIN_MS)
        assert faults(page) == []
        authorize(page, pipeline.bearer(account)["Authorization"].removeprefix("Bearer "))
        buy(page, json.dumps(order))
        status = page.locator("#operations-purchases-buy .live-responses-table .response-col_status").last
        expect(status).to_contain_text("201", timeout=SHOWN_WITHIN_MS)
        assert faults(page) == []
    assert all(url.startswith((pipeline.api, "data:", "blob:")) for url in asked)
    assert pipeline.view(event)["ticketTypes"][0]["sold"] == 2


def authorize(page: Page, token: str) -> None:
    page.locator("button.authorize").first.click(timeout=SHOWN_WITHIN_MS)
    page.locator(".auth-container input").fill(token)
    page.locator(".auth-container button[type=submit]").click()
    page.locator(".auth-container button.btn-done").click()


def buy(page: Page, order: str) -> None:
    operation = page.locator("#operations-purchases-buy")
    operation.locator(".opblock-summary-control").click()
    operation.locator("button.try-out__btn").click()
    operation.locator("tr[data-param-name='Idempotency-Key'] input").fill(uuid4().hex)
    operation.locator("textarea.body-param__text").fill(order)
    operation.locator("button.execute").click()
