"""Halls in a real browser: a seat taken while one looks, a lost race, several sections, by keyboard and by finger."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from api.roles import Role
from tests.browser import (
    DESKTOP,
    NARROW,
    PHONE,
    SHOWN_WITHIN_MS,
    browsing,
    faults,
    is_too_wide,
    needs_browser,
    press,
    reach,
    somebody,
)
from tests.e2e.test_seats import order
from tests.eventually import eventually
from tests.pipeline import NOBODY, Pipeline

pytestmark = needs_browser

LOOKS: list[dict[str, Any]] = [
    {"size": DESKTOP, "scheme": "light", "locale": "en-GB"},
    {"size": PHONE, "scheme": "dark", "locale": "de-DE"},
    {"size": NARROW, "scheme": "light", "locale": "pl-PL"},
]
Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Hall:
    """An event with two sections, A and B, of 3 rows by 6 seats."""

    event: str
    kind: str
    organizer: str

    @property
    def page(self) -> str:
        return f"/events/{self.event}/seats"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture
def hall(pipeline: Pipeline) -> Hall:
    organizer = pipeline.account(roles=["organizer"])
    event, [kind] = pipeline.event(100, organizerId=organizer)
    section = {"category": kind, "rows": 3, "seatsPerRow": 6, "aislesAfter": [3], "wheelchairs": 1}
    body = {"sections": [section | {"name": "A", "title": "Left"}, section | {"name": "B"}]}
    with pipeline.client(NOBODY, Role.ADMINISTRATOR) as client:
        answer = client.post(f"/events/{event}/seating/generate", json=body, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text
    return Hall(event, kind, str(organizer))


def box(page: Page, seat: str) -> Any:
    return page.locator(f"[name=seat][value={seat}]")


def seats_of(pipeline: Pipeline, event: str) -> list[list[str]]:
    return [lines[0]["seats"] for (lines,) in pipeline.rows("SELECT lines FROM purchase WHERE event_id = %s", event)]


def test_a_seat_goes_grey_while_one_looks_and_another_is_offered_for_the_chosen_one(
    pipeline: Pipeline, browser: Browser, hall: Hall
) -> None:
    with somebody(browser, pipeline, pipeline.account()) as page:
        page.goto(hall.page)
        box(page, "A-A-2").check()
        box(page, "A-A-5").check()
        expect(page.locator("use[href='#seat-chosen'][x]")).to_have_count(2)
        taken = order(pipeline, hall.event, hall.kind, pipeline.account(), seats=["A-A-2", "A-A-1"])
        assert taken.status_code == 201, taken.text
        expect(page.locator("use[href='#seat-taken'][x]")).to_have_count(2, timeout=SHOWN_WITHIN_MS)
        expect(box(page, "A-A-2")).to_be_disabled()
        status = page.get_by_role("status")
        expect(status).to_contain_text("Somebody else was faster: Section A, row A, seat 2.")
        status.get_by_role("button", name="Choose instead: Section A, row A, seat 3").click()
        expect(box(page, "A-A-3")).to_be_checked()
        page.get_by_role("button", name="Hold these seats").last.click()
        expect(page.get_by_role("heading", name="Held for you")).to_be_visible(timeout=SHOWN_WITHIN_MS)


def test_a_lost_race_names_the_seat_and_the_nearest_ones_are_taken_by_one_press(
    pipeline: Pipeline, browser: Browser, hall: Hall
) -> None:
    with somebody(browser, pipeline, pipeline.account(), has_script=False) as page:
        page.goto(hall.page)
        box(page, "A-B-2").check()
        box(page, "A-B-4").check()
        taken = order(pipeline, hall.event, hall.kind, pipeline.account(), seats=["A-B-2", "A-B-1"])
        assert taken.status_code == 201, taken.text
        page.get_by_role("button", name="Hold these seats").last.click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Taken: Section A, row B, seat 2", timeout=SHOWN_WITHIN_MS)
        page.get_by_role("link", name="Choose this seat instead").click()
        expect(page.locator("[name=seat]:checked")).to_have_count(2)
        page.get_by_role("button", name="Hold these seats").last.click()
        expect(page.get_by_role("heading", name="Held for you")).to_be_visible(timeout=SHOWN_WITHIN_MS)


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_seats_of_two_sections_are_one_purchase(
    pipeline: Pipeline, browser: Browser, hall: Hall, has_script: bool
) -> None:
    with somebody(browser, pipeline, pipeline.account(), has_script=has_script, size=PHONE) as page:
        page.goto(hall.page)
        box(page, "A-A-1").check()
        page.locator("button[name=to][value=B]").click()
        box(page, "B-C-6").check()
        expect(box(page, "A-A-1")).to_be_checked()
        if has_script:
            expect(page.locator("[data-count]")).to_have_text("Seats chosen: 2")
        page.get_by_role("button", name="Hold these seats").last.click()
        expect(page.get_by_role("heading", name="Held for you")).to_be_visible(timeout=SHOWN_WITHIN_MS)
        expect(page.locator("main")).to_contain_text("Section A, row A, seat 1")
        expect(page.locator("main")).to_contain_text("Section B, row C, seat 6")


def test_the_drawing_is_used_by_the_keyboard_alone(pipeline: Pipeline, browser: Browser, hall: Hall) -> None:
    with somebody(browser, pipeline, pipeline.account()) as page:
        page.goto(hall.page)
        reach(page, page.locator("svg use[tabindex='0']"))
        for key in ("ArrowRight", "ArrowDown", "Space", "End", "Enter", "Home", "ArrowUp", "ArrowLeft"):
            page.keyboard.press(key)
        focused = page.locator(":focus")
        expect(focused).to_have_attribute("aria-label", "Section A, row A, seat 1")
        expect(focused).to_have_attribute("role", "checkbox")
        assert page.locator("[tabindex='0'][role=checkbox]").count() == 1
        expect(page.locator("[name=seat]:checked")).to_have_count(2)
        expect(box(page, "A-B-2")).to_be_checked()
        expect(box(page, "A-B-6")).to_be_checked()
        press(page, page.get_by_role("button", name="Hold these seats"))
        expect(page.get_by_role("heading", name="Held for you")).to_be_visible(timeout=SHOWN_WITHIN_MS)


def test_a_finger_pinches_drags_and_taps_the_drawing(pipeline: Pipeline, browser: Browser, hall: Hall) -> None:
    body = {"sections": [{"name": "W", "category": hall.kind, "rows": 20, "seatsPerRow": 60}]}
    with pipeline.client(NOBODY, Role.ADMINISTRATOR) as client:
        answer = client.post(f"/events/{hall.event}/seating/generate", json=body, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text
    size = {"width": PHONE[0], "height": PHONE[1]}
    context = browser.new_context(viewport=size, has_touch=True, base_url=pipeline.api)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(hall.page)
    drawing = page.locator(".is-live svg[role=group]")
    drawing.wait_for(timeout=SHOWN_WITHIN_MS)
    assert width_shown(page) == 610
    drawing.scroll_into_view_if_needed()
    place = drawing.bounding_box()
    assert place is not None
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    # The seats are too small for a finger: the first tap enlarges them, the second one chooses.
    page.touchscreen.tap(x, y)
    enlarged = width_shown(page)
    assert enlarged < 200
    assert page.locator("[name=seat]:checked").count() == 0
    target = page.locator("use[href='#seat-type-0'][x]").nth(10 * 60 + 30)
    target.tap()
    expect(page.locator("[name=seat]:checked")).to_have_count(1)
    touch = context.new_cdp_session(page)
    fingers(touch, [(x - 20, y), (x + 20, y)], [(x - 80, y - 10), (x + 80, y + 10)])
    assert width_shown(page) < enlarged
    before = drawing.get_attribute("viewBox")
    fingers(touch, [(x, y)], [(x - 60, y)])
    assert drawing.get_attribute("viewBox") != before
    expect(page.locator("[name=seat]:checked")).to_have_count(1)
    # A tap so soon after a finger has moved would only stop what it set moving.
    page.get_by_role("button", name="Whole section").click()
    eventually(lambda: width_shown(page) == 610, within=5)
    context.close()


def width_shown(page: Page) -> float:
    return float((page.locator("svg[role=group]").get_attribute("viewBox") or "").split()[2])


def fingers(touch: Any, begin: list[tuple[float, float]], end: list[tuple[float, float]]) -> None:
    """Let fingers go from one place to another in ten steps."""
    for step in range(11):
        points = [
            {"x": x + (to_x - x) * step / 10, "y": y + (to_y - y) * step / 10, "id": number}
            for number, ((x, y), (to_x, to_y)) in enumerate(zip(begin, end, strict=True))
        ]
        kind = "touchMove" if step else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look['size'][0]} px {look['scheme']} {look['locale']}")
def test_the_pages_of_a_hall_fit_and_keep_nobody_out(
    pipeline: Pipeline, browser: Browser, hall: Hall, look: dict[str, Any]
) -> None:
    taken = order(pipeline, hall.event, hall.kind, pipeline.account(), seats=["A-A-1", "A-A-2"])
    assert taken.status_code == 201, taken.text
    plan = f"/organize/events/{hall.event}/seating"
    chosen = "seat=A-A-4&seat=B-A-1&refused=seat-taken&gone=A-A-1&near=A-A-3"
    paths = {
        hall.page: ".is-live",
        f"{hall.page}?section=A&{chosen}": ".is-live",
        plan: "h2",
        f"{plan}/section?section=A": ".is-live",
    }
    found = {}
    with somebody(browser, pipeline, hall.organizer, Role.ORGANIZER, **look) as page:
        for path, ready in paths.items():
            page.goto(path)
            page.wait_for_selector(ready, timeout=SHOWN_WITHIN_MS)
            found[path] = faults(page)
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_an_organizer_makes_a_hall_by_the_keyboard(pipeline: Pipeline, browser: Browser, tmp_path: Path) -> None:
    organizer = pipeline.account(roles=["organizer"])
    event, _ = pipeline.event(100, organizerId=organizer)
    drawing = tmp_path / "box.svg"
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg"><circle data-seat="1-1" cx="30" cy="30" r="5"/></svg>')
    with somebody(browser, pipeline, organizer, Role.ORGANIZER, size=NARROW) as page:
        page.goto(f"/organize/events/{event}")
        press(page, page.get_by_role("link", name="Seating plan"))
        for name, text in (("name", "A"), ("rows", "2"), ("seatsPerRow", "4"), ("aislesAfter", "2")):
            reach(page, page.locator(f"main [name={name}]"))
            page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="A", exact=True)).to_be_visible(timeout=SHOWN_WITHIN_MS)
        page.locator("[name=drawnName]").fill("Box")
        page.locator("[name=drawing]").set_input_files(drawing)
        page.locator("form[action$='/draw'] button").click()
        expect(page.get_by_role("link", name="Box", exact=True)).to_be_visible(timeout=SHOWN_WITHIN_MS)
        press(page, page.get_by_role("link", name="A", exact=True))
        reach(page, page.locator("svg use[tabindex='0']"))
        page.keyboard.press("Space")
        page.locator("[name=become]").select_option("wheelchair")
        press(page, page.get_by_role("button", name="Change seats"))
        expect(page.locator("use[href='#seat-wheelchair'][x]")).to_have_count(1, timeout=SHOWN_WITHIN_MS)
        assert not is_too_wide(page)
