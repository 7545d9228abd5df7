"""Buyer, organizer and operator walk by keyboard alone: in two languages, on three screens, with and without script."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from api.pages.part_texts import PARTS
from api.roles import Role
from tests.browser import (
    DESKTOP,
    NARROW,
    PHONE,
    SHOWN_WITHIN_MS,
    browsing,
    is_covered,
    is_too_wide,
    needs_browser,
    press,
    reach,
    somebody,
    type_into,
)
from tests.eventually import eventually
from tests.pipeline import NOBODY, Pipeline
from translations.catalogues import catalogue

pytestmark = needs_browser


@dataclass(frozen=True)
class Walker:
    """How somebody walks."""

    locale: str
    size: tuple[int, int]
    scheme: Literal["light", "dark"]
    has_script: bool

    @property
    def kit(self) -> dict[str, Any]:
        """The arguments of a page for the walker."""
        return asdict(self)

    @property
    def say(self) -> Callable[[str], str]:
        """The text of a page in the walker's language."""
        return catalogue(self.locale[:2], "pages").gettext

    def __str__(self) -> str:
        return f"{self.locale} {self.size[0]} px {self.scheme}{'' if self.has_script else ', no script'}"


WALKERS = [
    Walker("en-GB", DESKTOP, "light", has_script=True),
    Walker("de-DE", PHONE, "dark", has_script=True),
    Walker("de-DE", NARROW, "light", has_script=False),
]
by_everybody = pytest.mark.parametrize("walker", WALKERS, ids=str)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="module")
def event(pipeline: Pipeline) -> tuple[str, str]:
    """An event that is found, and its title."""
    title = f"Liederabend {uuid4().hex[:8]}"
    found, _ = pipeline.event(50, title=title)
    eventually(lambda: found in pipeline.found(title), within=30)
    return found, title


@by_everybody
def test_a_buyer_finds_holds_and_buys(
    pipeline: Pipeline, browser: Browser, event: tuple[str, str], walker: Walker
) -> None:
    _, title = event
    with somebody(browser, pipeline, pipeline.account(), **walker.kit) as page:
        page.goto("/")
        type_into(page, page.get_by_role("searchbox"), title)
        page.keyboard.press("Enter")
        expect(page.locator(".row")).to_have_count(1, timeout=SHOWN_WITHIN_MS)
        fits(page)
        press(page, page.get_by_role("link", name=title))
        type_into(page, page.get_by_role("spinbutton", name="Standing"), "2")
        fits(page)
        press(page, page.get_by_role("button", name=walker.say("Hold these tickets")))
        expect(page.get_by_role("heading", name=walker.say("Held for you"))).to_be_visible(timeout=SHOWN_WITHIN_MS)
        fits(page)
        if walker.has_script:
            clock = page.locator("[data-clock]")
            expect(clock).not_to_have_text(clock.text_content() or "", timeout=SHOWN_WITHIN_MS)
        press(page, page.locator("form[action$='/confirm'] button"))
        expect(page.get_by_role("heading", name=walker.say("Your tickets"))).to_be_visible(timeout=SHOWN_WITHIN_MS)
        expect(page.locator(".qr")).to_have_count(2, timeout=SHOWN_WITHIN_MS)
        fits(page)


@by_everybody
def test_an_organizer_creates_and_publishes_an_event(pipeline: Pipeline, browser: Browser, walker: Walker) -> None:
    organizer, say = pipeline.account(roles=["organizer"]), walker.say
    with somebody(browser, pipeline, organizer, Role.ORGANIZER, **walker.kit) as page:
        page.goto("/organize")
        press(page, page.get_by_role("link", name=say("New event")).first)
        type_into(page, page.locator("main [name=title]"), f"Recital {uuid4().hex[:8]}")
        for field, hour in (("startsAt", "08"), ("endsAt", "10")):
            reach(page, page.locator(f"[name={field}]"))
            # The same whether the day or the month comes first, and with 12 or 24 hours.
            page.keyboard.type("05052031")
            page.keyboard.press("ArrowRight")
            page.keyboard.type(f"{hour}00a")
        fits(page)
        press(page, page.get_by_role("button", name=say("Create draft")))
        press(page, page.get_by_role("link", name=say("New ticket type")))
        for field, text in (("name", "Stalls"), ("price", "20"), ("quantity", "10")):
            type_into(page, page.locator(f"main [name={field}]"), text)
        fits(page)
        press(page, page.get_by_role("button", name=say("Save")))
        press(page, page.get_by_role("link", name=say("Publish")))
        press(page, page.get_by_role("button", name=say("Publish")))
        expect(page.locator(".state.good").first).to_be_visible(timeout=SHOWN_WITHIN_MS)
        fits(page)
    [(status, starts_at)] = pipeline.rows("SELECT status, starts_at FROM event WHERE organizer_id = %s", organizer)
    assert (status, f"{starts_at:%Y-%m-%d}") == ("ACTIVE", "2031-05-05")


@by_everybody
def test_an_operator_reads_what_a_part_is_and_what_to_do(pipeline: Pipeline, browser: Browser, walker: Walker) -> None:
    text, section = walker.say(str(PARTS["ledger"].about)), PARTS["ledger"].section
    with somebody(browser, pipeline, NOBODY, Role.ADMINISTRATOR, **walker.kit) as page:
        page.goto("/board")
        expect(page.locator("#part-api .state")).to_have_text(walker.say("well"), timeout=SHOWN_WITHIN_MS)
        expect(page.locator("#part-api .note")).to_have_text(walker.say("this process"))
        name, about = page.locator("#part-ledger a"), page.locator("#about-ledger")
        reach(page, name)
        expect(name).to_have_accessible_description(text)
        expect(about).to_be_visible()
        if walker.size == DESKTOP:
            page.keyboard.press("Escape")
            expect(about).to_be_hidden()
            page.locator("#part-mail").hover()
            expect(page.locator("#about-mail")).to_be_visible()
        fits(page)
        page.keyboard.press("Enter")
        heading = page.locator(f"#{section}")
        expect(heading).to_be_in_viewport(timeout=SHOWN_WITHIN_MS)
        assert not is_covered(heading)
        fits(page)


def fits(page: Page) -> None:
    assert not is_too_wide(page), page.url
