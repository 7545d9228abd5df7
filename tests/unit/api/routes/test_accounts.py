"""Accounts over HTTP."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from api.roles import Role
from tests.unit.api.fakes.world import World

ACCOUNTS = "/api/v3/accounts"
PASSWORD = "correct horse battery"
ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@Lovelace.Example"}


def test_a_new_account_is_answered_with_its_place_and_can_be_read_there(client: FlaskClient) -> None:
    body = ADA | {"phone": "+44 20 7946 0000", "birthDate": "1985-12-10", "locale": "en-GB"}
    made = client.post(ACCOUNTS, json=body)
    assert made.status_code == 201
    assert client.get(made.headers["Location"]).get_json() == made.get_json()
    assert made.get_json() == {
        "id": made.headers["Location"].rsplit("/")[-1],
        "firstName": "Ada",
        "lastName": "Lovelace",
        "email": "ada@lovelace.example",
        "phone": "+44 20 7946 0000",
        "birthDate": "1985-12-10",
        "locale": "en-GB",
        "roles": ["buyer"],
        "version": 1,
        "createdAt": "2030-01-02T03:04:05Z",
        "updatedAt": "2030-01-02T03:04:05Z",
    }


def test_a_client_may_choose_the_id_once(client: FlaskClient) -> None:
    chosen = str(uuid4())
    assert client.post(ACCOUNTS, json=ADA | {"id": chosen}).get_json()["id"] == chosen
    again = client.post(ACCOUNTS, json=ADA | {"id": chosen, "email": "other@lovelace.example"})
    assert (again.status_code, again.get_json()["type"]) == (409, "/problems/already-exists")


def test_an_address_in_use_is_refused_whatever_its_case(client: FlaskClient, account: dict[str, Any]) -> None:
    again = client.post(ACCOUNTS, json=ADA | {"email": "ADA@lovelace.example"})
    assert (again.status_code, again.get_json()["errors"]) == (409, [{"detail": "is in use", "pointer": "/email"}])


def test_somebody_with_one_name_has_no_last_name(client: FlaskClient, account: dict[str, Any]) -> None:
    made = client.post("/api/v3/accounts", json={"firstName": "Sukarno", "email": "sukarno@buyer.example"})
    assert (made.status_code, made.get_json()["lastName"]) == (201, "")
    answer = client.patch(f"/api/v3/accounts/{account['id']}", json={"lastName": ""})
    assert (answer.status_code, answer.get_json()["lastName"]) == (200, "")


def test_an_unknown_account_is_not_found(client: FlaskClient) -> None:
    assert client.get(f"{ACCOUNTS}/{uuid4()}").status_code == 404
    assert client.get(f"{ACCOUNTS}/1").status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"firstName": ""}, "/firstName"),
        ({"firstName": " \t "}, "/firstName"),
        ({"firstName": "A\0da"}, "/firstName"),
        ({"firstName": "\u200b"}, "/firstName"),
        ({"lastName": "\u2800"}, "/lastName"),
        ({"firstName": "A" * 101}, "/firstName"),
        ({"firstName": 1}, "/firstName"),
        ({"lastName": None}, "/lastName"),
        ({"email": "ada"}, "/email"),
        ({"email": "ada@lovelace"}, "/email"),
        ({"email": "ada@lovelace.example\0"}, "/email"),
        ({"phone": "call me"}, "/phone"),
        ({"birthDate": "10.12.1815"}, "/birthDate"),
        ({"birthDate": "1815-12-10"}, "/birthDate"),
        ({"birthDate": "2030-01-03"}, "/birthDate"),
        ({"birthDate": 0}, "/birthDate"),
        ({"locale": "xx-NOWHERE"}, "/locale"),
        ({"id": "1"}, "/id"),
        ({"first_name": "Ada"}, "/first_name"),
        ({"role": "administrator"}, "/role"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_written(
    world: World, client: FlaskClient, change: dict[str, Any], pointer: str
) -> None:
    answer = client.post(ACCOUNTS, json=ADA | change)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert [fault["pointer"] for fault in answer.get_json()["errors"]] == [pointer]
    assert not world.accounts.rows


def test_addresses_under_test_are_taken(client: FlaskClient) -> None:
    assert client.post(ACCOUNTS, json=ADA | {"email": "ada@buyers.test"}).status_code == 201


def test_an_account_is_replaced_and_changed(client: FlaskClient, account: dict[str, Any]) -> None:
    where = f"{ACCOUNTS}/{account['id']}"
    client.patch(where, json={"phone": "+43 1 234567", "locale": "de"})
    changed = client.patch(where, json={"lastName": "King"}).get_json()
    assert (changed["lastName"], changed["phone"], changed["version"]) == ("King", "+43 1 234567", 3)
    replaced = client.put(where, json={"firstName": "Augusta", "lastName": "King"}).get_json()
    assert (replaced["firstName"], replaced["locale"], replaced["version"]) == ("Augusta", "en", 4)
    assert "phone" not in replaced
    assert client.get(where).get_json() == replaced


@pytest.mark.parametrize(
    "change", [{"birthDate": "2030-01-03"}, {"email": "x@y.example"}, {"roles": []}, {"lastName": None}]
)
def test_a_change_of_what_may_not_be_changed_is_refused(
    client: FlaskClient, account: dict[str, Any], change: dict[str, Any]
) -> None:
    answer = client.patch(f"{ACCOUNTS}/{account['id']}", json=change)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, f"/{next(iter(change))}")


def test_new_roles_end_the_sessions_that_have_the_old_ones(
    world: World, client: FlaskClient, account: dict[str, Any]
) -> None:
    hers, roles = world.client(account["id"]), {"roles": ["organizer"]}
    late = client.put(f"{ACCOUNTS}/{account['id']}/roles", json=roles, headers={"If-Match": '"99"'})
    assert late.status_code == 412
    answer = client.put(f"{ACCOUNTS}/{account['id']}/roles", json=roles)
    assert answer.get_json()["roles"] == ["buyer", "organizer"]
    assert hers.get(f"{ACCOUNTS}/{account['id']}").status_code == 401
    assert client.put(f"{ACCOUNTS}/{account['id']}/roles", json={"roles": ["owner"]}).status_code == 422


def test_a_deleted_account_is_gone_with_its_sessions(
    world: World, client: FlaskClient, account: dict[str, Any]
) -> None:
    hers = world.client(account["id"])
    assert client.delete(f"{ACCOUNTS}/{account['id']}").status_code == 204
    assert hers.get(f"{ACCOUNTS}/{account['id']}").status_code == 401
    assert client.get(f"{ACCOUNTS}/{account['id']}").status_code == 404
    assert client.delete(f"{ACCOUNTS}/{account['id']}").status_code == 404


@pytest.mark.parametrize("body", [None, {}, {"currentPassword": "wrong"}])
def test_a_token_alone_does_not_delete_an_account(world: World, client: FlaskClient, body: Any) -> None:
    path = f"{ACCOUNTS}/{client.post(ACCOUNTS, json=ADA | {'password': PASSWORD}).get_json()['id']}"
    for role in ((), (Role.ADMINISTRATOR,)):
        answer = world.client(path.rpartition("/")[2], *role).delete(path, json=body)
        assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/currentPassword")
    assert client.get(path).status_code == 200


def test_an_account_is_deleted_by_its_owner_with_the_password(world: World, client: FlaskClient) -> None:
    path = f"{ACCOUNTS}/{client.post(ACCOUNTS, json=ADA | {'password': PASSWORD}).get_json()['id']}"
    hers = world.client(path.rpartition("/")[2])
    assert hers.delete(path, json={"currentPassword": PASSWORD, "more": 1}).status_code == 422
    assert hers.delete(path, data=b"x=1").status_code == 415
    assert hers.delete(path, json={"currentPassword": PASSWORD}).status_code == 204
    assert client.get(path).status_code == 404


def test_an_organizer_with_events_stays(client: FlaskClient, event: dict[str, Any]) -> None:
    answer = client.delete(f"{ACCOUNTS}/{event['organizerId']}")
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/has-events")


def test_accounts_are_listed_page_by_page_while_others_come(client: FlaskClient) -> None:
    names = [f"{n:02}" for n in range(7)]
    for name in names:
        client.post(ACCOUNTS, json=ADA | {"firstName": name, "email": f"{name}@buyer.example"})
    seen, cursor = [], ""
    while True:
        page = client.get(f"{ACCOUNTS}?limit=3{cursor}").get_json()
        seen += [item["firstName"] for item in page["items"]]
        client.post(ACCOUNTS, json=ADA | {"firstName": "late", "email": f"{len(seen)}@late.example"})
        if "next" not in page:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(name for name in seen if name != "late") == names
    assert len(seen) <= len(names) + 3


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ("limit=0", "?limit"),
        ("limit=101", "?limit"),
        ("cursor=x", "?cursor"),
        ("cursor=kaE", "?cursor"),
        ("page=2", "?page"),
    ],
)
def test_a_wrong_page_is_named(client: FlaskClient, asked: str, pointer: str) -> None:
    answer = client.get(f"{ACCOUNTS}?{asked}")
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer)
