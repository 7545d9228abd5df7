"""Search over HTTP."""

import pytest
from flask.testing import FlaskClient

from api.bodies.search import FoundEvent
from tests.unit.api.fakes import World

SEARCH = "/api/v3/events/search"


def test_a_search_passes_on_its_words_and_answers_with_a_page(world: World, client: FlaskClient) -> None:
    fields = {"id": "1", "title": "Ein Abend", "status": "ACTIVE", "startsAt": "2030-01-01T00:00:00Z", "folded": {}}
    world.index.found = [FoundEvent(**fields)]
    answer = client.get(f"{SEARCH}?q=abend%20%20&limit=5&cursor=abc")
    assert world.index.asked == [("abend", 5, "abc")]
    [item] = answer.get_json()["items"]
    assert (item["title"], item["startsAt"]) == ("Ein Abend", "2030-01-01T00:00:00Z")
    assert "folded" not in item


def test_a_search_without_words_is_a_search_for_all(world: World, client: FlaskClient) -> None:
    assert client.get(SEARCH).get_json() == {"items": []}
    assert world.index.asked == [("", 20, None)]


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [("limit=0", "?limit"), ("limit=101", "?limit"), ("limit=x", "?limit"), ("q=%00", "?q"), ("page=2", "?page")],
)
def test_a_wrong_parameter_is_named(client: FlaskClient, asked: str, pointer: str) -> None:
    answer = client.get(f"{SEARCH}?{asked}")
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer)
