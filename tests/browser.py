"""A headless Chromium, and pages in it for signed-in readers."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from api.roles import Role
from tests.pipeline import Pipeline

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="THERE IS NO BROWSER, SO NO PAGE IS TESTED: put a chromium on the PATH (`make browser`)"
)
DESKTOP = (1280, 900)
PHONE = (390, 844)
NARROW = (320, 640)
TABS_MAX = 150
SHOWN_WITHIN_MS = 20_000


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def somebody(
    browser: Browser,
    pipeline: Pipeline,
    account: str | UUID | None = None,
    *roles: Role,
    size: tuple[int, int] = DESKTOP,
    scheme: Literal["light", "dark"] = "light",
    locale: str = "en-GB",
    has_script: bool = True,
) -> Iterator[Page]:
    """A page of a reader signed in as that account; at the end it must have had no errors."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        locale=locale,
        java_script_enabled=has_script,
        base_url=pipeline.api,
        reduced_motion="reduce",
    )
    if account is not None:
        context.add_cookies([cookie(pipeline, account, *roles)])
    context.set_default_timeout(SHOWN_WITHIN_MS)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith((pipeline.api, "data:")) else wrong.append(asked.url))
    yield page
    context.close()
    assert wrong == []


def cookie(pipeline: Pipeline, account: str | UUID, *roles: Role) -> Any:
    """The cookie of that account's session."""
    token = pipeline.bearer(account, *roles)["Authorization"].removeprefix("Bearer ")
    return {"name": "turnstile", "value": token, "url": pipeline.api}


def barriers(page: Page) -> list[str]:
    """The accessibility violations that axe finds: rule, impact, place."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']} ({rule['impact']}): {rule['help']}: {rule['nodes'][0]['target']}" for rule in found]


def faults(page: Page) -> list[str]:
    """What axe finds, and whether the page scrolls horizontally at 320 px."""
    size = page.viewport_size or {"width": DESKTOP[0], "height": DESKTOP[1]}
    found = barriers(page)
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    found += ["is too wide at 320 px"] if is_too_wide(page) else []
    page.set_viewport_size(size)
    return found


def reach(page: Page, place: Locator) -> None:
    """Tab on until it has the focus, from when the page shows it."""
    place.first.wait_for(timeout=SHOWN_WITHIN_MS)
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if place.evaluate_all("all => all.includes(document.activeElement)"):
            assert not is_covered(page.locator(":focus")), f"{place} has the focus, and something covers it"
            return
    raise AssertionError(f"no way by the keyboard to {place}")


def is_covered(place: Locator) -> bool:
    """Whether something else is shown where the middle of it is, or it is outside of the window."""
    return bool(
        place.evaluate(
            """one => {
              const { left, top, width, height } = one.getBoundingClientRect();
              const hit = document.elementFromPoint(left + Math.min(width / 2, 20), top + height / 2);
              return !hit || !one.contains(hit);
            }"""
        )
    )


def press(page: Page, place: Locator) -> None:
    """Tab on until it has the focus, then press Enter."""
    reach(page, place)
    page.keyboard.press("Enter")


def type_into(page: Page, place: Locator, text: str) -> None:
    """Tab on until it has the focus, then type."""
    reach(page, place)
    page.keyboard.type(text)


def is_too_wide(page: Page) -> bool:
    """Whether the page scrolls horizontally."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))
