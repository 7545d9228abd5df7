"""Entity tags: reads that save their bodies, changes that overwrite nothing."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.unit.api.fakes.world import World

BASE = "/api/v3"


@pytest.fixture
def plain(world: World, client: FlaskClient) -> FlaskClient:
    """An administrator that sends no If-Match by itself."""
    plain = world.app.test_client()
    plain.environ_base["HTTP_AUTHORIZATION"] = client.environ_base["HTTP_AUTHORIZATION"]
    return plain


@pytest.fixture
def places(event: dict[str, Any], ticket: dict[str, Any], account: dict[str, Any]) -> dict[str, str]:
    return {
        "event": f"{BASE}/events/{event['id']}",
        "ticket": f"{BASE}/tickets/{ticket['id']}",
        "account": f"{BASE}/accounts/{account['id']}",
    }


CHANGES = {"event": {"venue": "Musikverein"}, "ticket": {"quantity": 7}, "account": {"lastName": "King"}}
RESOURCES = pytest.mark.parametrize("resource", CHANGES)


@RESOURCES
def test_a_read_of_a_known_version_has_no_body(plain: FlaskClient, places: dict[str, str], resource: str) -> None:
    tag = plain.get(places[resource]).headers["ETag"]
    for method in ("GET", "HEAD"):
        again = plain.open(places[resource], method=method, headers={"If-None-Match": tag})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    plain.patch(places[resource], json=CHANGES[resource], headers={"If-Match": tag})
    assert plain.get(places[resource], headers={"If-None-Match": tag}).status_code == 200


@RESOURCES
def test_a_change_names_the_version_that_it_changes(plain: FlaskClient, places: dict[str, str], resource: str) -> None:
    where, change = places[resource], CHANGES[resource]
    tag = plain.get(where).headers["ETag"]
    unnamed = plain.patch(where, json=change)
    assert (unnamed.status_code, unnamed.get_json()["type"]) == (428, "/problems/precondition-required")
    first = plain.patch(where, json=change, headers={"If-Match": tag})
    assert (first.status_code, first.headers["ETag"] == tag) == (200, False)
    late = plain.patch(where, json=change, headers={"If-Match": tag})
    assert (late.status_code, late.get_json()["type"]) == (412, "/problems/precondition-failed")
    assert f'"{late.get_json()["version"]}"' == first.headers["ETag"]
    assert plain.patch(where, json=change, headers={"If-Match": f'"old", {first.headers["ETag"]}'}).status_code == 200
    assert plain.patch(where, json=change, headers={"If-Match": "*"}).status_code == 200


@RESOURCES
def test_a_delete_may_name_the_version(plain: FlaskClient, places: dict[str, str], resource: str) -> None:
    assert plain.delete(places[resource], headers={"If-Match": '"77"'}).status_code == 412


@RESOURCES
def test_a_weak_tag_does_not_allow_a_change(plain: FlaskClient, places: dict[str, str], resource: str) -> None:
    tag = plain.get(places[resource]).headers["ETag"]
    weak = plain.patch(places[resource], json=CHANGES[resource], headers={"If-Match": f"W/{tag}"})
    assert weak.status_code == 412
