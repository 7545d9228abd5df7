"""A headless Chromium, and pages in it for signed-in readers."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from api.roles import Role
from tests.pipeline import Pipeline

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="THERE IS NO BROWSER, SO NO PAGE IS TESTED: put a chromium on the PATH (`make browser`)"
)
DESKTOP = (1280, 900)
PHONE = (390, 844)
PATIENCE_MS = 20_000


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
) -> Iterator[Page]:
    """A page of a reader signed in as that account; at the end it must have had no errors."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        locale="en-GB",
        base_url=pipeline.api,
        reduced_motion="reduce",
    )
    if account is not None:
        context.add_cookies([cookie(pipeline, account, *roles)])
    context.set_default_timeout(PATIENCE_MS)
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
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {rule['nodes'][0]['target']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]


def is_too_wide(page: Page) -> bool:
    """Whether the page scrolls horizontally."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))
