"""Search over HTTP."""

from datetime import UTC, date, datetime

import pytest
from flask.testing import FlaskClient

from api.schemas.search import FoundEvent, Sort
from tables.messages.availability import Tickets
from tests.unit.api.fakes.world import World

SEARCH = "/api/v3/events/search"
SUGGEST = "/api/v3/events/suggest"


def test_a_search_passes_on_its_words_and_answers_with_a_page(world: World, client: FlaskClient) -> None:
    fields = {"id": "1", "title": "Ein Abend", "status": "ACTIVE", "startsAt": "2030-01-01T00:00:00Z", "folded": {}}
    world.index.found = [FoundEvent(**fields)]
    answer = client.get(f"{SEARCH}?q=abend%20%20&limit=5&cursor=abc")
    [asked] = world.index.asked
    assert (asked.q, asked.limit, asked.cursor, asked.order) == ("abend", 5, "abc", Sort.RELEVANCE)
    [item] = answer.get_json()["items"]
    assert (item["title"], item["startsAt"]) == ("Ein Abend", "2030-01-01T00:00:00Z")
    assert "folded" not in item


def test_a_search_without_words_is_a_search_for_all_by_date(world: World, client: FlaskClient) -> None:
    assert client.get(SEARCH).get_json() == {"items": []}
    [asked] = world.index.asked
    assert (asked.q, asked.limit, asked.order) == ("", 20, Sort.DATE)


def test_every_filter_arrives(world: World, client: FlaskClient) -> None:
    client.get(
        f"{SEARCH}?city=Wien&city=Graz&tag=jazz&status=ACTIVE&availability=low&from=2030-05-17"
        "&to=2030-05-18T00:00:00%2B02:00&minPrice=5&maxPrice=9.90&currency=EUR&near=48.2,16.37&radius=3&sort=-price"
    )
    [asked] = world.index.asked
    assert (asked.city, asked.tag, asked.availability) == (["Wien", "Graz"], ["jazz"], [Tickets.LOW])
    assert (asked.start, asked.end) == (date(2030, 5, 17), datetime(2030, 5, 17, 22, tzinfo=UTC))
    assert (asked.min_price, asked.max_price, asked.currency) == ("5", "9.90", "EUR")
    assert (asked.place, asked.radius, asked.order) == ((48.2, 16.37), 3.0, Sort.DEAREST)


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ("limit=0", "?limit"),
        ("limit=101", "?limit"),
        ("limit=x", "?limit"),
        ("q=%00", "?q"),
        ("page=2", "?page"),
        ("from=soon", "?from"),
        ("to=2030-13-01", "?to"),
        ("from=2030-05-17T20:00:00", "?from"),
        ("status=DRAFT", "?status"),
        ("status=GONE", "?status"),
        ("availability=some", "?availability"),
        ("minPrice=1&currency=EURO", "?currency"),
        ("currency=XAU", "?currency"),
        ("minPrice=-1&currency=EUR", "?minPrice"),
        ("maxPrice=5", "?currency"),
        ("sort=price", "?currency"),
        ("sort=best", "?sort"),
        ("near=here", "?near"),
        ("near=91,0", "?near"),
        ("near=nan,0", "?near"),
        ("near=1,2&radius=0", "?radius"),
        ("near=1,2&radius=inf", "?radius"),
        ("radius=5", "?near"),
        ("sort=distance", "?near"),
        ("&".join(["city=x"] * 21), "?city"),
    ],
)
def test_a_wrong_parameter_is_named(client: FlaskClient, asked: str, pointer: str) -> None:
    answer = client.get(f"{SEARCH}?{asked}")
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer)


def test_a_suggestion_names_what_it_is(world: World, client: FlaskClient) -> None:
    world.index.found = [FoundEvent(id="1", title="Ein Abend", status="ACTIVE", starts_at="2030-01-01T00:00:00Z")]
    answer = client.get(f"{SUGGEST}?q=ei&limit=3")
    assert answer.get_json() == {"items": [{"text": "Ein Abend", "kind": "event", "id": "1"}]}
    assert [(typed.q, typed.limit) for typed in world.index.typed] == [("ei", 3)]


@pytest.mark.parametrize(("asked", "pointer"), [("q=%00", "?q"), ("q=a&limit=21", "?limit"), ("p=a", "?p")])
def test_a_wrong_parameter_of_a_suggestion_is_named(client: FlaskClient, asked: str, pointer: str) -> None:
    answer = client.get(f"{SUGGEST}?{asked}")
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer)
