"""The pages in a real browser on the running pipeline: buying amid a crowd, organizing, watching, every screen size.

Buying alone is tried in test_box_office.py.
"""

import asyncio
import csv
import io
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from playwright.sync_api import Browser, Page, expect

from api.roles import Role
from tests.browser import DESKTOP, PHONE, SHOWN_WITHIN_MS, browsing, faults, needs_browser, somebody
from tests.eventually import eventually
from tests.pipeline import NOBODY, Pipeline

pytestmark = needs_browser

BUYERS, STOCK, AT_ONCE, EARLY = 2_000, 300, 60, 40


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


class Rush(threading.Thread):
    """2,000 buyers who want one ticket each over REST; all but the first wait until the gate is opened."""

    def __init__(self, pipeline: Pipeline, event: str, kind: str) -> None:
        super().__init__()
        self.pipeline, self.event, self.kind = pipeline, event, kind
        self.gate = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.buyers = [str(each) for (each,) in pipeline.rows(PEOPLE, BUYERS)]

    def run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        async with aiohttp.ClientSession(connector=connector) as http:
            await asyncio.gather(*(self._one(http, buyer) for buyer in self.buyers[:EARLY]))
            await asyncio.to_thread(self.gate.wait, 60)
            await asyncio.gather(*(self._one(http, buyer) for buyer in self.buyers[EARLY:]))

    async def _one(self, http: aiohttp.ClientSession, buyer: str) -> None:
        body = {"eventId": self.event, "lines": [{"ticketTypeId": self.kind, "quantity": 1}]}
        headers = self.pipeline.bearer(buyer) | {"Idempotency-Key": "rush"}
        while True:
            async with http.post(f"{self.pipeline.api}/api/v3/purchases", json=body, headers=headers) as answer:
                await answer.read()
            if answer.status not in (202, 503):
                self.statuses[answer.status] += 1
                return
            await asyncio.sleep(0.2)


PEOPLE = """
INSERT INTO account (id, first_name, last_name, email)
SELECT id, 'Buyer', 'Buyer', id || '@crowd.example'
FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, %s)) AS new
RETURNING id
"""


def choose(page: Page, event: str, quantity: int) -> None:
    page.goto(f"/events/{event}")
    page.get_by_role("spinbutton", name="Standing").fill(str(quantity))


def test_tickets_are_bought_on_the_page_amid_2000_buyers_and_the_bars_reach_sold_out(
    pipeline: Pipeline, browser: Browser
) -> None:
    event, [kind] = pipeline.event(STOCK)
    title = pipeline.title(event)
    rush = Rush(pipeline, event, kind)
    with (
        somebody(browser, pipeline, NOBODY, Role.ADMINISTRATOR) as board,
        somebody(browser, pipeline, pipeline.account()) as buyer,
    ):
        board.goto("/board")
        choose(buyer, event, 2)
        rush.start()
        card = board.locator(".sale", has_text=title)
        expect(card.locator(".sold")).to_have_text(str(EARLY), timeout=SHOWN_WITHIN_MS)
        buyer.get_by_role("button", name="Hold these tickets").click()
        expect(buyer.get_by_role("heading", name="Held for you")).to_be_visible(timeout=SHOWN_WITHIN_MS)
        expect(card.locator(".held")).to_have_text("2", timeout=SHOWN_WITHIN_MS)
        rush.gate.set()
        buyer.get_by_role("button", name="Buy 2 tickets").dblclick()
        expect(buyer.get_by_role("heading", name="Your tickets")).to_be_visible(timeout=SHOWN_WITHIN_MS)
        expect(buyer.locator(".ticket")).to_have_count(2, timeout=SHOWN_WITHIN_MS)
        rush.join(60)
        expect(card.locator(".available")).to_have_text("0", timeout=SHOWN_WITHIN_MS)
        expect(card.locator(".sold")).to_have_text(str(STOCK))
        assert float(card.locator(".bar-sold").get_attribute("width") or 0) == 1000
        expect(board.locator("#rule-stock .state")).to_have_text("holds")
    assert rush.statuses == {201: STOCK - 2, 409: BUYERS - STOCK + 2}
    assert pipeline.view(event)["ticketTypes"][0]["sold"] == STOCK


def test_an_event_is_organized_from_its_draft_to_its_end(pipeline: Pipeline, browser: Browser) -> None:
    organizer, buyer = pipeline.account(roles=["organizer"]), pipeline.account(firstName="Grace", lastName="=Hopper")
    title = f"Recital {uuid4().hex[:8]}"
    with somebody(browser, pipeline, organizer, Role.ORGANIZER) as page:
        page.goto("/organize")
        page.get_by_role("link", name="New event").first.click()
        page.get_by_label("Title").fill(title)
        page.get_by_label("Starts").fill("2031-05-17T20:00")
        page.get_by_label("Ends").fill("2031-05-17T22:00")
        page.get_by_role("button", name="Create draft").click()
        page.get_by_role("link", name="New ticket type").click()
        page.get_by_label("Name").fill("Stalls")
        page.get_by_label("Price").fill("20")
        page.get_by_label("Quantity").fill("10")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("link", name="Publish").click()
        page.get_by_role("button", name="Publish").click()
        expect(page.locator(".state", has_text="on sale")).to_be_visible()
        address = page.url
        event = address.rpartition("/")[2]
        kind = str(pipeline.settled(event, 1)["ticketTypes"][0]["ticketType"])
        assert pipeline.buy(event, kind, 3, buyer).status_code == 201
        # The holders come from PostgreSQL, the sums from the ledger's stock: either may be there first.
        eventually(lambda: shows(page, address, "1 person with 1 purchase", "€60.00"), within=20)
        expect(page.get_by_role("img", name="Tickets sold over time: Stalls 3")).to_be_visible()
        with page.expect_download() as started:
            page.get_by_role("link", name="Attendee list").click()
        rows = list(csv.reader(io.StringIO(started.value.path().read_text("utf-8-sig"))))
        assert rows[0][:4] == ["lastName", "firstName", "ticketType", "quantity"]
        assert rows[1][:4] == ["'=Hopper", "Grace", "Stalls", "3"]
        page.get_by_role("link", name="Cancel the event").click()
        expect(page.get_by_text("1 person with 1 purchase will get an e-mail")).to_be_visible()
        page.get_by_role("button", name="Cancel the event").click()
        expect(page.locator(".state", has_text="cancelled")).to_be_visible()
    eventually(lambda: f"Event cancelled: {title}" in subjects(pipeline, title), within=30)


def subjects(pipeline: Pipeline, title: str) -> list[str]:
    return [mail["subject"] for mail in pipeline.mails(title)]


def shows(page: Page, address: str, *texts: str) -> bool:
    page.goto(address)
    shown = page.inner_text("main")
    return all(text in shown for text in texts)


@pytest.mark.parametrize(
    "look",
    [
        {"size": PHONE, "scheme": "light", "locale": "en-GB"},
        {"size": DESKTOP, "scheme": "dark", "locale": "de-DE"},
    ],
    ids=["light on a phone in English", "dark on a desktop in German"],
)
def test_every_page_fits_and_keeps_nobody_out(pipeline: Pipeline, browser: Browser, look: dict[str, Any]) -> None:
    account = pipeline.account(roles=["organizer"])
    event, [kind] = pipeline.event(20, organizerId=account)
    assert pipeline.buy(event, kind, 16, pipeline.account()).status_code == 201
    bought = pipeline.buy(event, kind, 2, account).json()["id"]
    held = pipeline.http.post(
        "/purchases",
        json={"eventId": event, "lines": [{"ticketTypeId": kind, "quantity": 1}], "hold": True},
        headers=pipeline.bearer(account) | {"Idempotency-Key": "held"},
    ).json()["id"]
    # What stands in a row of "few left" is the widest.
    title = pipeline.title(event)
    eventually(lambda: availability(pipeline, title) == ["low"], within=30)
    paths = {
        f"/?q={title}": ".row .state.warn",
        f"/events/{event}": ".offers-form .button",
        f"/purchases/{held}": "[data-countdown]",
        f"/purchases/{bought}": ".ticket",
        f"/purchases/{bought}/cancel": "h1",
        "/tickets": "h1",
        "/account": "h1",
        "/account/delete": "h1",
        "/board": "#live.good",
        "/board/runbook": "h3",
        "/organize": ".own-event",
        "/organize/new": "h1",
        f"/organize/events/{event}": "#curve",
        f"/organize/events/{event}/edit": "h1",
        f"/organize/events/{event}/types/{kind}": "h1",
        f"/organize/events/{event}/status/CANCELED": "h1",
    }
    signed_out = dict.fromkeys(("/sign-in", "/sign-up", "/forgotten-password", "/problems", "/topics"), "h1")
    roles = (Role.ORGANIZER, Role.ADMINISTRATOR)
    with somebody(browser, pipeline, account, *roles, **look) as page:
        found = {path: faults_of(page, path, ready) for path, ready in paths.items()}
    with somebody(browser, pipeline, **look) as page:
        found |= {path: faults_of(page, path, ready) for path, ready in signed_out.items()}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def availability(pipeline: Pipeline, title: str) -> list[str]:
    answer = pipeline.http.get("/events/search", params={"q": title})
    return [each["availability"] for each in answer.json()["items"]] if answer.is_success else []


def faults_of(page: Page, path: str, ready: str) -> list[str]:
    page.goto(path)
    page.wait_for_selector(ready, timeout=SHOWN_WITHIN_MS)
    return faults(page)
