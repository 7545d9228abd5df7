"""``make screenshots``: pictures of every page into docs/images, on servers of its own while tickets are sold."""

import random
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import httpx
import rich_click as click
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.progress import Progress

from api.roles import Role
from lab.bench.measurement import Lab
from lab.demo.hall_plan import plan_body, ticket_types
from lab.target import Target, target_of

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
DESKTOP: Final = (1280, 900)
PHONE: Final = (390, 844)
WORKERS: Final = 6
SALES_BEFORE_S: Final = 12.0
TIMEOUT_MS: Final = 20_000
ANIMATION_MS: Final = 1_500
# The first answer of a new server may be too slow.
LOADS_MAX: Final = 5

# Title, venue, and of each ticket type name, price, quantity and share of the demand.
SALES: Final = (
    ("Midsummer Jazz on the River", "Danube Quay", (("Standing", "39.00", 220, 6), ("Terrace", "69.00", 60, 4))),
    ("The Cherry Orchard", "Akademietheater", (("Stalls", "48.00", 120, 3), ("Circle", "32.00", 140, 1))),
    (
        "Winterreise",
        "Musikverein",
        (("Parterre", "75.00", 40, 5), ("Balcony", "45.00", 420, 3), ("Standing", "12.00", 260, 3)),
    ),
    ("Night of the Museums", "Eighteen houses", (("Pass", "19.00", 900, 5),)),
)

ABOUT: Final = (
    "{title}, for one evening only at {venue}. Doors open an hour before.\n\n"
    "Seats are free within each area. Children under six need no ticket; wheelchair spaces are in the front row."
)
HALL: Final = ("Chamber Nights", "Konzerthaus")
HALL_ROWS: Final = 20
HALL_PURCHASES: Final = 160
# The index of the event whose page is shown.
SHOWN_EVENT: Final = 2

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Screenshot:
    """One picture: of which page, for which reader, on which screen."""

    name: str
    path: str
    reader: Literal["nobody", "buyer", "organizer", "administrator"]
    size: tuple[int, int] = DESKTOP
    scheme: Literal["light", "dark"] = "light"
    locale: str = "en-GB"
    whole: bool = False
    until: str = "h1"


SEAT: Final = "[data-seats] svg"
LIVE: Final = "#part-ledger .rate:not(:empty)"
SCREENSHOTS: Final = (
    Screenshot("box-office", "/?q=jazz", "nobody", until=".row"),
    Screenshot("event-phone", "/events/{event}", "buyer", size=PHONE, scheme="dark", locale="de-DE"),
    Screenshot("tickets", "/purchases/{purchase}", "buyer", until=".ticket"),
    Screenshot("seats", "/events/{hall}/seats", "buyer", until=SEAT),
    Screenshot("seats-phone", "/events/{hall}/seats", "buyer", size=PHONE, scheme="dark", until=SEAT),
    Screenshot("hall", "/organize/events/{hall}/seating", "organizer", whole=True),
    Screenshot("organize", "/organize/events/{event}", "organizer", whole=True),
    Screenshot("board", "/board", "administrator", whole=True, until=LIVE),
    Screenshot("board-dark", "/board", "administrator", scheme="dark", whole=True, until=LIVE),
    Screenshot("board-phone", "/board", "administrator", size=PHONE, whole=True, until=LIVE),
)


class Crowd:
    """Buyers who buy, hold and are refused while the pictures are taken."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._http = httpx.Client(base_url=f"{target.api}/api/v3", timeout=10, trust_env=False)
        self.organizer = self.account("Ines", "Okafor")
        self.buyers = [self.account("Buyer", str(number)) for number in range(60)]
        self.events = [self._event(*sale) for sale in SALES]
        self.purchase = self._bought()
        self.hall = self._hall()
        self._numbers = count()
        self._over = threading.Event()

    def account(self, first: str, last: str) -> str:
        """A new account."""
        body = {"firstName": first, "lastName": last, "email": f"{first}.{last}@people.example".lower()}
        return str(self._post("/accounts", body)["id"])

    @contextmanager
    def buying(self) -> Iterator[None]:
        """Buy all the time, in threads."""
        threads = [threading.Thread(target=self._buy) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _hall(self) -> str:
        """An event with a hall, a part of which is sold."""
        types = tuple((name, price, seats, 1) for name, seats, price in ticket_types(HALL_ROWS))
        event, kinds = self._event(*HALL, types)
        body = plan_body({UUID(kind): (name, seats) for kind, (name, _, seats, _) in zip(kinds, types, strict=True)})
        self._post(f"/events/{event}/seating/generate", body, {"If-Match": "*"})
        for number in range(HALL_PURCHASES):
            lines = [{"ticketTypeId": kinds[number % 2], "quantity": 1 + number % 4, "best": {}}]
            body = {"eventId": event, "lines": lines}
            self._buy_as(self.buyers[number % len(self.buyers)], body, f"seat-{number}").raise_for_status()
        return event

    def _event(self, title: str, venue: str, types: tuple[tuple[str, str, int, int], ...]) -> tuple[str, list[str]]:
        starts = (datetime.now(UTC) + timedelta(days=40)).replace(hour=18, minute=0, second=0, microsecond=0)
        offered = [
            {"name": name, "quantity": quantity, "price": {"amount": price, "currency": "EUR"}, "position": place}
            for place, (name, price, quantity, _) in enumerate(types)
        ]
        body = {
            "organizerId": self.organizer,
            "title": title,
            "description": ABOUT.format(title=title, venue=venue),
            "venue": venue,
            "city": "Vienna",
            "country": "AT",
            "tags": ["summer"],
            "startsAt": starts.isoformat(),
            "endsAt": (starts + timedelta(hours=3)).isoformat(),
            "timeZone": "Europe/Vienna",
            "status": "ACTIVE",
            "ticketTypes": offered,
        }
        event = str(self._post("/events", body)["id"])
        kinds = [kind["id"] for kind in self._http.get(f"/events/{event}/tickets").json()["items"]]
        return event, [kind for kind, (*_, share) in zip(kinds, types, strict=True) for _ in range(share)]

    def _bought(self) -> str:
        """A purchase of the first buyer."""
        event, kinds = self.events[SHOWN_EVENT]
        body = {"eventId": event, "lines": [{"ticketTypeId": kinds[0], "quantity": 2}]}
        answer = self._buy_as(self.buyers[0], body, "picture")
        answer.raise_for_status()
        return str(answer.json()["id"])

    def _buy(self) -> None:
        choices = [(event, kind) for event, kinds in self.events for kind in kinds]
        rng = random.Random(threading.get_ident())
        while not self._over.is_set():
            number = next(self._numbers)
            event, kind = rng.choice(choices)
            buyer = self.buyers[number % len(self.buyers)]
            lines = [{"ticketTypeId": kind, "quantity": 1 + number % 3}]
            body = {"eventId": event, "lines": lines, "hold": number % 4 == 0}
            self._buy_as(buyer, body, f"picture-{number}")
            time.sleep(0.05)

    def _buy_as(self, buyer: str, body: Json, key: str) -> httpx.Response:
        headers = self._target.bearer(buyer) | {"Idempotency-Key": key}
        return self._http.post("/purchases", json=body, headers=headers)

    def _post(self, path: str, body: Json, more: dict[str, str] | None = None) -> Json:
        answer = self._http.post(path, json=body, headers=self._target.administrator() | (more or {}))
        answer.raise_for_status()
        made: Json = answer.json()
        return made


def cookie(target: Target, crowd: Crowd, reader: str) -> list[Any]:
    """The cookie of a signed-in reader."""
    known = {
        "buyer": (crowd.buyers[0], ()),
        "organizer": (crowd.organizer, (Role.ORGANIZER,)),
        "administrator": (crowd.organizer, (Role.ADMINISTRATOR,)),
    }
    if reader not in known:
        return []
    account, roles = known[reader]
    token = target.bearer(account, *roles)["Authorization"].removeprefix("Bearer ")
    return [{"name": "turnstile", "value": token, "url": target.api}]


def take(browser: Browser, target: Target, crowd: Crowd, shot: Screenshot, folder: Path) -> Path:
    """Take one picture."""
    width, height = shot.size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=shot.scheme, device_scale_factor=1, locale=shot.locale
    )
    context.add_cookies(cookie(target, crowd, shot.reader))
    page = context.new_page()
    path = shot.path.format(event=crowd.events[SHOWN_EVENT][0], purchase=crowd.purchase, hall=crowd.hall)
    for _ in range(LOADS_MAX):
        answer = page.goto(target.api + path, wait_until="load")
        if answer is not None and answer.ok:
            break
        page.wait_for_timeout(ANIMATION_MS)
    page.wait_for_selector(shot.until, timeout=TIMEOUT_MS)
    page.wait_for_timeout(ANIMATION_MS)
    picture = folder / f"{shot.name}.png"
    page.screenshot(path=picture, full_page=shot.whole)
    context.close()
    return picture


@click.command(name="screenshots")
@click.option("--folder", default=IMAGES, type=click.Path(path_type=Path), help="Where the pictures go.")
@click.argument("names", nargs=-1)
def command(folder: Path, names: tuple[str, ...]) -> None:
    """Take the pictures of these names, or all. Needs a Chromium on the PATH."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("there is no chromium on the PATH; on Debian: apt-get install chromium")
    folder.mkdir(parents=True, exist_ok=True)
    console = Console()
    with Progress(console=console) as progress, Lab("screenshots", progress).stack() as stack:
        stack.start()
        stack.start("migrations", "administrator", "connectors", *stack.apps, "catalogue")
        target = target_of(stack.environment, stack.settings.mail_port)
        crowd = Crowd(target)
        with crowd.buying(), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            time.sleep(SALES_BEFORE_S)
            for shot in SCREENSHOTS:
                if not names or shot.name in names:
                    console.print(f"taken: {take(browser, target, crowd, shot, folder)}", soft_wrap=True)
            browser.close()
