"""Buying at the box office on the whole pipeline: by forms alone, and in a real browser."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from stack.member import HOST, get
from tests.eventually import eventually
from tests.pipeline import Pipeline

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PASSWORD = "correct horse battery"
WAIT_MS = 20_000
# As nervous fingers would, without the guard that the page's script is.
SEND_THRICE = """form => Promise.all([1, 2, 3].map(() =>
  fetch(form.action, {method: "post", body: new URLSearchParams(new FormData(form))})))"""
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER HERE: the pages were not looked at")


@dataclass
class Visitor:
    """Somebody without script: follows redirects, fills in the forms of the page that is open."""

    pipeline: Pipeline
    http: httpx.Client = field(init=False)
    page: httpx.Response = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            base_url=self.pipeline.api,
            headers={"Accept": "text/html"},
            follow_redirects=True,
            timeout=30,
            trust_env=False,
        )

    def go(self, path: str) -> str:
        self.page = self.http.get(path)
        return self.page.text

    def send(self, action: str, **given: str) -> str:
        """Send the open page's form for that path."""
        [form] = [
            form
            for form in re.findall(r"<form\b.*?</form>", self.page.text, re.DOTALL)
            if f'action="{action}"' in form and all(f'name="{name}"' in form for name in given)
        ]
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
        self.page = self.http.post(action, data={name: unescape(value) for name, value in hidden} | given)
        return self.page.text

    def sign_up(self) -> str:
        """Make an account through the forms and sign in; its address."""
        email = f"{uuid4().hex}@buyer.example"
        self.go("/sign-up")
        self.send("/sign-up", firstName="Ada", lastName="Byron", email=email, password=PASSWORD)
        assert "Sign out" in self.send("/confirm", code=mailed_code(self.pipeline, email))
        return email


def mailed_code(pipeline: Pipeline, email: str) -> str:
    return mailed(pipeline, email, r"^([A-Z2-9]{5}-[A-Z2-9]{5})\s*$")


def mailed(pipeline: Pipeline, email: str, pattern: str) -> str:
    """The first group of the pattern in the newest mail to the address that has it."""
    mails = f"http://{HOST}:{pipeline.stack.settings.mail_port}"

    def found() -> str | None:
        listed: Any = get(f"{mails}/mails.json?q={quote(email)}", 5).json()
        for mail in reversed(listed):
            if email in mail["to"]:
                text = unescape(get(f"{mails}/mails/{mail['id']}", 5).text)
                if match := re.search(pattern, text, re.MULTILINE):
                    return match[1]
        return None

    return str(eventually(found, within=15))


@pytest.fixture
def visitor(pipeline: Pipeline) -> Iterator[Visitor]:
    visitor = Visitor(pipeline)
    yield visitor
    visitor.http.close()


def test_tickets_are_found_held_bought_and_given_back_by_forms_alone(pipeline: Pipeline, visitor: Visitor) -> None:
    title = f"Liederabend {uuid4().hex[:8]}"
    event, [kind] = pipeline.event(5, title=title)
    visitor.sign_up()
    eventually(lambda: f"/events/{event}" in visitor.go(f"/?q={title.replace(' ', '+')}"), within=30)
    assert "Available" in visitor.go(f"/events/{event}")
    assert "Held for you" in visitor.send(f"/events/{event}/hold", **{f"n-{kind}": "3"})
    purchase = visitor.page.url.path
    assert "Your tickets" in visitor.send(f"{purchase}/confirm")
    eventually(lambda: visitor.go(purchase).count('class="qr"') == 3, within=15)
    eventually(lambda: "E-mail sent" in visitor.go(purchase), within=30)
    assert f"SUMMARY:{title}" in visitor.go(f"{purchase}/event.ics")
    visitor.go(f"{purchase}/cancel")
    assert visitor.send(f"{purchase}/cancel", **{f"n-{kind}": "1"}).count('class="qr"') == 2
    visitor.go(f"{purchase}/cancel")
    assert "Returned" in visitor.send(f"{purchase}/cancel", all="1")
    assert title in eventually(
        lambda: visitor.go("/tickets") if "Returned" in visitor.go("/tickets") else None, within=15
    )
    shelf = pipeline.view(event)["ticketTypes"][0]
    assert (shelf["held"], shelf["sold"], shelf["available"]) == (0, 0, 5)


def test_the_link_of_a_sign_up_leads_back_to_the_chosen_tickets(pipeline: Pipeline, visitor: Visitor) -> None:
    event, [kind] = pipeline.event(5)
    email = f"{uuid4().hex}@buyer.example"
    sign_in = visitor.go(f"/events/{event}/choose?n-{kind}=3")
    [sign_up] = re.findall(r'href="(/sign-up\?next=/events/[^"]+)"', sign_in)
    visitor.go(unescape(sign_up))
    visitor.send("/sign-up", firstName="Ada", lastName="Byron", email=email, password=PASSWORD)
    visitor.go(mailed(pipeline, email, r"(/links/confirm\?mail=\w\w&link=[\w.-]+)"))
    assert "Sign out" in visitor.send("/links/confirm")
    assert (visitor.page.url.path, visitor.page.url.params[f"n-{kind}"]) == (f"/events/{event}", "3")
    assert "Held for you" in visitor.send(f"/events/{event}/hold", **{f"n-{kind}": "3"})


def test_a_forgotten_password_is_replaced_by_a_mailed_link(pipeline: Pipeline, visitor: Visitor) -> None:
    email = visitor.sign_up()
    visitor.send("/sign-out")
    visitor.go("/forgotten-password")
    assert "Check your e-mail" in visitor.send("/forgotten-password", email=email)
    visitor.go(mailed(pipeline, email, r"(/links/reset\?mail=\w\w&link=[\w.-]+)"))
    assert "Your new password is set" in visitor.send("/links/reset", password=f"{PASSWORD} staple")
    assert "Sign out" in visitor.send("/sign-in", email=email, password=f"{PASSWORD} staple")
    assert mailed(pipeline, email, r"(Your password was changed)")


def test_a_form_that_is_sent_again_holds_once_and_a_refusal_is_said(pipeline: Pipeline, visitor: Visitor) -> None:
    event, [kind] = pipeline.event(3)
    visitor.sign_up()
    visitor.go(f"/events/{event}")
    form = visitor.page
    paths = set()
    for _ in range(2):
        visitor.page = form
        assert "Held for you" in visitor.send(f"/events/{event}/hold", **{f"n-{kind}": "2"})
        paths.add(visitor.page.url.path)
    assert len(paths) == 1
    visitor.go(f"/events/{event}")
    assert "not enough tickets left" in visitor.send(f"/events/{event}/hold", **{f"n-{kind}": "2"})
    visitor.page = form
    assert "already sent with a different choice" in visitor.send(f"/events/{event}/hold", **{f"n-{kind}": "1"})
    assert pipeline.view(event)["ticketTypes"][0]["held"] == 2


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(pipeline: Pipeline, visitor: Visitor, chromium: Browser) -> Iterator[Page]:
    """A page of a signed-in reader. Whatever a page complains of in its console fails the test."""
    visitor.sign_up()
    context = chromium.new_context(base_url=pipeline.api)
    context.add_cookies([{"name": "turnstile", "value": visitor.http.cookies["turnstile"], "url": pipeline.api}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def check_accessibility(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    serious = [each["id"] for each in found if each["impact"] in ("serious", "critical")]
    assert serious == [], [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


@in_a_browser
def test_a_double_click_the_back_button_and_reloading_never_buy_again(pipeline: Pipeline, page: Page) -> None:
    event, _ = pipeline.event(9)
    page.goto(f"/events/{event}")
    page.locator("form.offers-form").evaluate(SEND_THRICE)
    page.get_by_role("button", name="Hold these tickets").dblclick()
    expect(page.get_by_role("heading", name="Held for you")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("button", name="Buy 1 ticket").dblclick()
    expect(page.get_by_role("heading", name="Your tickets")).to_be_visible(timeout=WAIT_MS)
    page.reload()
    page.go_back()
    page.go_back()
    page.get_by_role("button", name="Hold these tickets").click()
    expect(page.get_by_role("heading", name="Your tickets")).to_be_visible(timeout=WAIT_MS)
    page.reload()
    page.go_back()
    page.reload()
    page.go_forward()
    eventually(lambda: counts(pipeline, event) == (0, 1), within=10)


def counts(pipeline: Pipeline, event: str) -> tuple[int, int]:
    """Held and sold of the event's one ticket type."""
    [shelf] = pipeline.view(event)["ticketTypes"]
    return shelf["held"], shelf["sold"]


@in_a_browser
def test_who_is_not_signed_in_buys_and_sees_by_the_links_of_the_mails(
    pipeline: Pipeline, visitor: Visitor, chromium: Browser
) -> None:
    title = f"Briefe {uuid4().hex[:8]}"
    event, [kind] = pipeline.event(9, title=title)
    visitor.sign_up()
    visitor.go(f"/events/{event}")
    visitor.send(f"/events/{event}/hold", **{f"n-{kind}": "2"})
    page = chromium.new_page()
    page.clock.install()
    page.goto(mailed_link(pipeline, f"Held for you: {title}"))
    check_accessibility(page)
    # At its end the countdown asks again by the same link.
    with page.expect_navigation(timeout=WAIT_MS):
        page.clock.fast_forward("10:05")
    expect(page.get_by_role("heading", name="Held for you")).to_be_visible(timeout=WAIT_MS)
    assert counts(pipeline, event) == (2, 0)
    page.get_by_role("button", name="Buy 2 tickets · €21.00").click()
    expect(page.get_by_role("heading", name="Your tickets")).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(".qr")).to_have_count(0)
    assert counts(pipeline, event) == (0, 2)
    page.goto(mailed_link(pipeline, f"Your tickets for {title}"))
    expect(page.locator(".qr")).to_have_count(2, timeout=WAIT_MS)
    check_accessibility(page)
    page.get_by_role("button", name="Resend e-mail").click()
    expect(page.get_by_role("status")).to_have_text("We are sending you another e-mail.")
    eventually(lambda: len(pipeline.mails(f"Your tickets for {title}")) == 2, within=60)
    page.close()


def mailed_link(pipeline: Pipeline, subject: str) -> str:
    """The address of the link in the mail of that subject."""
    [mail] = eventually(lambda: pipeline.mails(subject), within=60)
    mails = f"http://{HOST}:{pipeline.stack.settings.mail_port}"
    text = unescape(httpx.get(f"{mails}/mails/{mail['id']}", trust_env=False).text)
    [link] = re.findall(r"^(http\S+/links/\S+)\s*$", text, re.MULTILINE)
    return str(link)


@in_a_browser
def test_a_search_goes_on_as_one_types_and_what_is_left_moves(pipeline: Pipeline, page: Page) -> None:
    word = f"zimt{uuid4().hex[:8]}"
    event, [kind] = pipeline.event(2, title=f"Abend {word}")
    eventually(lambda: event in pipeline.found(word), within=30)
    page.goto("/")
    page.get_by_role("searchbox").press_sequentially(word, delay=20)
    expect(page.locator(".row")).to_have_count(1, timeout=WAIT_MS)
    assert page.url.endswith(f"/?q={word}")
    page.locator(".row-link").click()
    expect(page.locator(f"#left-{kind}")).to_have_text("Available", timeout=WAIT_MS)
    assert pipeline.buy(event, kind, 2, pipeline.account()).status_code == httpx.codes.CREATED
    expect(page.locator(f"#left-{kind}")).to_have_text("Sold out", timeout=WAIT_MS)
    expect(page.get_by_role("spinbutton")).to_have_count(0)
