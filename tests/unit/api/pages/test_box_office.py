"""The box office: the queries to the search, and how its results are shown."""

import re
import time
from typing import Any

import pytest

from api.pages.box_office import _CACHE
from api.problems import Unavailable
from api.schemas.fields import Money
from api.schemas.search import Count, Facets, FoundEvent, FoundEvents, Highlights, SearchQuery
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import Reader

HTMX = {"HX-Request": "true"}
WINTER = FoundEvent(
    id="0ab0c1d2-0000-4000-8000-000000000001",
    title="Winterreise",
    venue="Musikverein",
    city="Wien",
    status="ACTIVE",
    starts_at="2030-05-17T18:00:00Z",
    time_zone="Europe/Vienna",
    price_from=Money(amount="49.90", currency="EUR"),
    availability="low",
)


def facets(**values: list[Count]) -> Facets:
    return Facets(**{name: [] for name in Facets.model_fields} | values)


@pytest.fixture
def visitor(world: World) -> Reader:
    world.index.found = [WINTER]
    return Reader(world)


def answering(world: World, *items: FoundEvent, **more: Any) -> None:
    def search(asked: SearchQuery) -> FoundEvents:
        world.index.asked.append(asked)
        return FoundEvents(items=list(items), **more)

    world.index.search = search  # type: ignore[method-assign]


def test_an_event_is_shown_with_its_own_time_its_place_its_price_and_what_is_left(visitor: Reader) -> None:
    assert visitor.get("/").status_code == 200
    for said in ("Winterreise", "20:00 · <bdi>Musikverein, Wien</bdi>", "€49.90", "Few left", "Friday 17 May 2030"):
        assert said in visitor.page
    assert f'href="/events/{WINTER.id}"' in visitor.page


@pytest.mark.parametrize(
    ("status", "availability", "words"),
    [
        ("ACTIVE", "available", "Available"),
        ("ACTIVE", "sold_out", "Sold out"),
        ("ACTIVE", "not_on_sale", "Not on sale"),
        ("ACTIVE", None, "Availability unknown"),
        ("ACTIVE", "unheard-of", "Availability unknown"),
        ("CANCELED", "available", "Cancelled"),
        ("POSTPONED", "available", "Postponed"),
        ("ON_HOLD", "available", "Not on sale at the moment"),
        ("DONE", "available", "Over"),
    ],
)
def test_what_is_left_is_said_in_words(visitor: Reader, status: str, availability: str | None, words: str) -> None:
    visitor.world.index.found = [WINTER.model_copy(update={"status": status, "availability": availability})]
    visitor.get("/")
    assert f">{words}</p>" in visitor.page


def test_the_address_says_what_is_searched_and_nothing_else_counts(visitor: Reader) -> None:
    visitor.get("/?q=winter&city=Wien&city=Graz&tag=lied&availability=low&from=2030-05-01&sort=date&limit=100&x=y&to=")
    [asked] = visitor.world.index.asked
    assert asked.model_dump(by_alias=True, exclude_unset=True, mode="json") == {
        "q": "winter",
        "city": ["Wien", "Graz"],
        "tag": ["lied"],
        "availability": ["low"],
        "from": "2030-05-01",
        "sort": "date",
    }


def test_a_crowd_that_asks_the_same_is_one_search_a_second(visitor: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("/", "/?x=1", "/?q=", "/?q=winter", "/?q=winter", "/?q=summer"):
        assert visitor.get(path).status_code == 200
    assert [asked.q for asked in visitor.world.index.asked] == ["", "winter", "summer"]
    later = time.monotonic() + 1.1
    monkeypatch.setattr(visitor.world.app.extensions[_CACHE], "_clock", lambda: later)
    visitor.get("/")
    assert len(visitor.world.index.asked) == 4


def test_a_search_that_makes_no_sense_is_told_so(visitor: Reader) -> None:
    assert visitor.get("/?from=yesterday").status_code == 422
    assert "Please choose a date" in visitor.page
    assert 'name="q"' in visitor.page


def test_the_script_gets_only_what_was_found_and_an_address_to_keep(visitor: Reader) -> None:
    answer = visitor.get("/?q=winter&city=&from=", **HTMX)
    assert visitor.page.startswith('<div id="found"')
    assert answer.headers["HX-Replace-Url"] == "/?q=winter"
    assert "HX-Request" in answer.headers["Vary"]


def test_the_end_of_the_list_leads_on_with_the_same_choice(visitor: Reader) -> None:
    answering(visitor.world, WINTER, total=30, facets=facets(), next="ab c")
    visitor.get("/?q=winter&city=Wien")
    assert 'href="/?q=winter&amp;cursor=ab+c&amp;city=Wien"' in visitor.page
    visitor.get("/?q=winter&city=Wien&cursor=abc", **HTMX)
    assert visitor.page.lstrip().startswith('<li class="row">')


def test_facets_have_their_counts_and_keep_what_is_chosen(visitor: Reader) -> None:
    cities = [Count(value=f"City {n}", count=50 - n) for n in range(12)]
    answering(visitor.world, total=1_234, facets=facets(city=cities))
    visitor.get("/?city=City+11&city=Atlantis")
    assert "1,234 events" in visitor.page
    assert "4 more" in visitor.page
    assert visitor.page.count(" checked") == 2
    assert 'value="Atlantis"' in visitor.page


def test_the_usual_order_is_the_searchs_own_and_stays_out_of_the_address(visitor: Reader) -> None:
    answering(visitor.world, WINTER, total=1, facets=facets())
    visitor.get("/")
    assert '<option value="">Soonest first</option>' in visitor.page
    visitor.get("/?q=winter&sort=-date")
    assert '<option value="">Best match</option>' in visitor.page
    assert '<option value="-date" selected>' in visitor.page


def test_nothing_found_is_said(visitor: Reader) -> None:
    answering(visitor.world, total=0, facets=facets())
    visitor.get("/?q=xyz")
    assert "No results" in visitor.page


def test_markup_in_what_organizers_wrote_is_text(visitor: Reader) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    found = WINTER.model_copy(update={"title": nasty, "venue": nasty, "city": nasty})
    answering(visitor.world, found, total=1, facets=facets(city=[Count(value=nasty, count=1)], tag=[]))
    visitor.get("/?city=" + nasty)
    assert "<img" not in visitor.page
    assert visitor.page.count("&lt;img") >= 4


def test_found_words_are_marked_as_the_search_marks_them(visitor: Reader) -> None:
    marked = Highlights(title="&lt;b&gt;<em>Winter</em>reise")
    visitor.world.index.found = [WINTER.model_copy(update={"title": "<b>Winterreise", "highlights": marked})]
    visitor.get("/?q=winter")
    assert "<bdi>&lt;b&gt;<em>Winter</em>reise</bdi>" in visitor.page


def test_without_the_search_the_page_says_that_it_will_be_back(visitor: Reader) -> None:
    def down(asked: SearchQuery) -> FoundEvents:
        raise Unavailable("elasticsearch")

    visitor.world.index.search = down  # type: ignore[method-assign]
    answer = visitor.get("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "be right back" in visitor.page
    assert "elasticsearch" not in visitor.page


def test_a_stranger_who_only_looks_gets_no_cookie(visitor: Reader) -> None:
    assert "Set-Cookie" not in visitor.get("/").headers


def test_the_first_page_is_light(visitor: Reader) -> None:
    visitor.world.index.found = [WINTER] * 20
    paths = ["/", *(f"/static/000000000000/{name}" for name in ("site.css", "site.js", "htmx.min.js", "icon.svg"))]
    sizes = [len(visitor.client.get(path, headers={"Accept-Encoding": "gzip"}).data) for path in paths]
    assert sum(sizes) < 50_000


def test_without_a_date_only_what_is_not_over_is_searched(visitor: Reader) -> None:
    for path in ("/?q=x", "/?from=2029-01-01", "/?to=2029-01-01"):
        visitor.get(path)
    assert [asked.upcoming for asked in visitor.world.index.asked] == [True, False, False]


def test_what_has_ended_is_over_and_a_festival_shows_its_last_day(world: World) -> None:
    over = {"starts_at": "2029-05-01T18:00:00Z", "ends_at": "2029-05-01T20:00:00Z"}
    festival = {"starts_at": "2030-07-05T14:00:00Z", "ends_at": "2030-07-08T00:00:00Z"}
    answering(world, WINTER.model_copy(update=over), WINTER.model_copy(update=festival))
    visitor = Reader(world)
    visitor.get("/?from=2029-01-01")
    assert re.findall(r'<p class="state \w+">([^<]*)</p>', visitor.page) == ["Over", "Few left"]
    assert "16:00 – 8 July" in visitor.page
