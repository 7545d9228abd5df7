"""Signing up, addresses and passwords over HTTP."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from api.accounts.address_confirmation import digest
from api.roles import Role
from tests.unit.api.fakes.world import World

ACCOUNTS = "/api/v3/accounts"
PASSWORD = "correct horse battery"
ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@lovelace.example", "password": PASSWORD}
CODE = r"^[A-Z2-9]{5}-[A-Z2-9]{5}$"
COUNTESS = {"email": "countess@lovelace.example", "currentPassword": PASSWORD}


@pytest.fixture
def anonymous(world: World) -> FlaskClient:
    return world.app.test_client()


@pytest.fixture
def ada(client: FlaskClient) -> dict[str, Any]:
    made: dict[str, Any] = client.post(ACCOUNTS, json=ADA).get_json()
    return made


@pytest.fixture
def her(world: World, ada: dict[str, Any]) -> FlaskClient:
    return world.client(ada["id"])


def code(world: World) -> str:
    """The code of the newest mail that has one."""
    found = [re.findall(CODE, mail.text, re.MULTILINE) for _, mail in world.mailer.mails]
    return str([*filter(None, found)][-1][0])


def confirm(anonymous: FlaskClient, code: str, asked: Any = None) -> Any:
    """With the request of what was asked for, or without any."""
    request = asked.get_json()["request"] if asked else ""
    return anonymous.post(f"{ACCOUNTS}/confirmations", json={"code": code, "request": request})


def sign_in(anonymous: FlaskClient, email: str = ADA["email"], password: str = PASSWORD) -> int:
    return anonymous.post("/api/v3/sessions", json={"email": email, "password": password}).status_code


def test_an_account_is_made_with_the_code_that_was_mailed_and_not_before(anonymous: FlaskClient, world: World) -> None:
    asked = anonymous.post(ACCOUNTS, json=ADA | {"birthDate": "1985-12-10"})
    assert (asked.status_code, asked.get_json()["email"]) == (202, "ada@lovelace.example")
    assert not world.accounts.rows
    assert sign_in(anonymous) == 401
    made = confirm(anonymous, code(world), asked)
    assert made.status_code == 201
    [account] = world.accounts.rows.values()
    assert made.headers["Location"] == f"{ACCOUNTS}/{account.id}"
    assert (made.get_json()["birthDate"], made.get_json()["roles"]) == ("1985-12-10", ["buyer"])
    assert sign_in(anonymous) == 201


def test_a_code_may_be_typed_in_any_way(anonymous: FlaskClient, world: World) -> None:
    asked = anonymous.post(ACCOUNTS, json=ADA)
    typed = code(world).lower().replace("-", " ")
    assert confirm(anonymous, f" {typed} ", asked).status_code == 201


def test_a_code_that_a_version_before_mailed_is_still_good(anonymous: FlaskClient, world: World) -> None:
    asked = anonymous.post(ACCOUNTS, json=ADA)
    [wish] = world.accounts.confirmations.values()
    old = digest("xY-Zw" * 6 + "12", asked.get_json()["request"])
    world.accounts.confirmations = {old: replace(wish, code_hash=old)}
    assert confirm(anonymous, "xY-Zw" * 6 + "12", asked).status_code == 201


@pytest.mark.parametrize(
    ("more", "accepted", "language"),
    [({}, "fr-CA,de;q=0.5", "fr"), ({}, "it", "en"), ({"locale": "de-AT"}, "fr", "de"), ({}, "", "en")],
)
def test_the_mail_and_the_account_are_in_the_language_of_the_sign_up(
    anonymous: FlaskClient, world: World, more: dict[str, str], accepted: str, language: str
) -> None:
    asked = anonymous.post(ACCOUNTS, json=ADA | more, headers={"Accept-Language": accepted})
    assert world.mailer.mails[-1][1].language == language
    assert confirm(anonymous, code(world), asked).get_json()["locale"] == more.get("locale", language)


def test_a_code_is_good_once(anonymous: FlaskClient, world: World) -> None:
    asked = anonymous.post(ACCOUNTS, json=ADA)
    assert confirm(anonymous, code(world), asked).status_code == 201
    again = confirm(anonymous, code(world), asked)
    assert (again.status_code, again.get_json()["type"]) == (422, "/problems/unknown-code")
    assert confirm(anonymous, "guess").status_code == 422


def test_a_code_is_good_for_the_password_of_who_asked_for_it_alone(anonymous: FlaskClient, world: World) -> None:
    """Two ask with one address; its reader has both mails and the own request."""
    asked = anonymous.post(ACCOUNTS, json=ADA)
    own = code(world)
    anonymous.post(ACCOUNTS, json=ADA | {"password": "somebody else's"})
    newer = code(world)
    assert [confirm(anonymous, it, asked).status_code for it in (newer, own)] == [422, 201]
    assert [sign_in(anonymous, password=it) for it in ("somebody else's", PASSWORD)] == [401, 201]


def test_a_code_alone_is_good_for_nothing(anonymous: FlaskClient, world: World, ada: dict[str, Any]) -> None:
    world.client(ada["id"]).put(f"{ACCOUNTS}/{ada['id']}/email", json=COUNTESS)
    answer = anonymous.post(f"{ACCOUNTS}/confirmations", json={"code": code(world)})
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/unknown-code")
    assert len(world.accounts.confirmations) == 1


def test_codes_cannot_be_tried_without_end(anonymous: FlaskClient) -> None:
    statuses = [confirm(anonymous, f"guess {n}").status_code for n in range(4)]
    assert statuses == [422] * 3 + [429]
    bodies = ({"code": "guess", "request": f"request {n}"} for n in range(60))
    statuses = [anonymous.post(f"{ACCOUNTS}/confirmations", json=body).status_code for body in bodies]
    assert statuses == [422] * 57 + [429] * 3
    assert sign_in(anonymous) == 401  # their counts are none of passwords, which they could displace


def test_only_the_reader_of_the_mails_learns_that_the_address_has_an_account(
    anonymous: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    asked = anonymous.post(ACCOUNTS, json=ADA | {"password": "somebody else's"})
    assert asked.status_code == 202
    assert confirm(anonymous, code(world), asked).get_json()["type"] == "/problems/email-taken"
    assert sign_in(anonymous, password="somebody else's") == 401


def test_what_waits_for_a_code_keeps_neither_code_nor_password(anonymous: FlaskClient, world: World) -> None:
    asked = anonymous.post(ACCOUNTS, json=ADA)
    [wish] = world.accounts.confirmations.values()
    assert asked.get_json()["request"] not in repr(wish)
    assert PASSWORD not in repr(wish)
    assert code(world) not in repr(wish)


def test_without_a_mail_server_nobody_is_told_to_wait_for_a_mail(anonymous: FlaskClient, world: World) -> None:
    world.mailer.down = True
    answer = anonymous.post(ACCOUNTS, json=ADA)
    assert (answer.status_code, answer.get_json()["server"]) == (503, "mail")


def test_an_account_s_address_can_be_asked_alone(her: FlaskClient, ada: dict[str, Any]) -> None:
    answer = her.get(f"{ACCOUNTS}/{ada['id']}/email")
    assert answer.get_json() == {"id": ada["id"], "email": "ada@lovelace.example"}


def test_a_new_address_is_confirmed_before_it_is_the_account_s(
    her: FlaskClient, anonymous: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    where = f"{ACCOUNTS}/{ada['id']}/email"
    asked = her.put(where, json=COUNTESS)
    assert asked.status_code == 202
    assert world.mailer.mails[-1][0] == "countess@lovelace.example"
    assert her.get(where).get_json()["email"] == "ada@lovelace.example"
    assert confirm(anonymous, code(world), asked).status_code == 201
    assert her.get(where).get_json()["email"] == "countess@lovelace.example"
    assert sign_in(anonymous, "countess@lovelace.example") == 201


def test_nobody_is_told_of_one_request_too_many_for_an_address(
    her: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    statuses = [her.put(f"{ACCOUNTS}/{ada['id']}/email", json=COUNTESS).status_code for _ in range(4)]
    assert (statuses, len(world.mailer.mails)) == ([202] * 3 + [429], 6)


def test_an_administrator_s_change_of_an_address_takes_effect_at_once(
    client: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    client.post(ACCOUNTS, json=ADA | {"email": "taken@lovelace.example"})
    where = f"{ACCOUNTS}/{ada['id']}/email"
    assert client.put(where, json={"email": "taken@lovelace.example"}).get_json()["type"] == "/problems/email-taken"
    assert not world.mailer.mails
    assert client.put(where, json={"email": "countess@lovelace.example"}).get_json()["version"] == 2
    assert told(world) == [(ADA["email"], True)]
    assert client.put(f"{ACCOUNTS}/{uuid4()}/email", json={"email": "x@lovelace.example"}).status_code == 404


def told(world: World) -> list[tuple[str, bool]]:
    """Who was told of the new address, and whether it is in the mail."""
    return [
        (address, COUNTESS["email"] in mail.text)
        for address, mail in world.mailer.mails
        if "account’s address" in mail.subject
    ]


@pytest.mark.parametrize("current", [None, "", "wrong"])
def test_a_token_alone_does_not_change_the_address(
    her: FlaskClient, world: World, ada: dict[str, Any], current: str | None
) -> None:
    body = COUNTESS | {"currentPassword": current}
    answer = her.put(f"{ACCOUNTS}/{ada['id']}/email", json=body)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/currentPassword")
    assert not world.mailer.mails
    assert not world.accounts.confirmations


def test_an_administrator_s_token_alone_does_not_change_the_own_address(world: World, ada: dict[str, Any]) -> None:
    hers = world.client(ada["id"], Role.ADMINISTRATOR)
    where = f"{ACCOUNTS}/{ada['id']}/email"
    assert hers.put(where, json={"email": COUNTESS["email"]}).status_code == 422
    assert hers.put(where, json=COUNTESS).status_code == 200


def test_the_old_address_is_told_before_the_code_is_mailed_and_when_it_was_entered(
    her: FlaskClient, anonymous: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    asked = her.put(f"{ACCOUNTS}/{ada['id']}/email", json=COUNTESS)
    assert [mail[0] for mail in world.mailer.mails] == [ADA["email"], COUNTESS["email"]]
    mailed = code(world)
    assert mailed not in world.mailer.mails[0][1].text
    confirm(anonymous, mailed, asked)
    assert told(world) == [(ADA["email"], True)] * 2


def test_where_the_old_address_cannot_be_told_no_code_is_mailed(
    her: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    world.mailer.down = True
    answer = her.put(f"{ACCOUNTS}/{ada['id']}/email", json=COUNTESS)
    assert (answer.status_code, answer.get_json()["server"]) == (503, "mail")
    assert not world.accounts.confirmations


def test_an_old_address_that_takes_no_mail_any_more_can_be_left(
    her: FlaskClient, anonymous: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    world.mailer.dead.add(ADA["email"])
    asked = her.put(f"{ACCOUNTS}/{ada['id']}/email", json=COUNTESS)
    assert confirm(anonymous, code(world), asked).status_code == 201


def test_a_change_that_is_done_is_answered_as_done_though_the_old_address_cannot_be_told(
    her: FlaskClient, anonymous: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    asked = her.put(f"{ACCOUNTS}/{ada['id']}/email", json=COUNTESS)
    world.mailer.down = True
    assert confirm(anonymous, code(world), asked).get_json()["email"] == COUNTESS["email"]


def test_a_change_of_address_is_ended_by_another_one(
    her: FlaskClient, anonymous: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    where = f"{ACCOUNTS}/{ada['id']}/email"
    asked = her.put(where, json=COUNTESS)
    first = code(world)
    her.put(where, json=COUNTESS | {"email": "augusta@lovelace.example"})
    assert confirm(anonymous, first, asked).get_json()["type"] == "/problems/unknown-code"


def test_a_change_of_address_is_ended_by_an_administrator_s(
    her: FlaskClient, client: FlaskClient, anonymous: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    where = f"{ACCOUNTS}/{ada['id']}/email"
    asked = her.put(where, json=COUNTESS)
    assert client.put(where, json={"email": "augusta@lovelace.example"}).status_code == 200
    assert confirm(anonymous, code(world), asked).get_json()["type"] == "/problems/unknown-code"


def subjects(world: World) -> list[tuple[str, str]]:
    return [(address, mail.subject) for address, mail in world.mailer.mails]


def test_a_new_password_is_told_in_the_account_s_language(world: World, client: FlaskClient) -> None:
    french = client.post(ACCOUNTS, json=ADA | {"locale": "fr-CA"}).get_json()["id"]
    new_password(world.client(french), client, french)
    client.put(f"{ACCOUNTS}/{french}/password", json={"newPassword": "yet another one"})
    assert subjects(world) == [(ADA["email"], "Votre mot de passe a été modifié")] * 2


def test_a_refused_password_is_told_to_nobody(her: FlaskClient, world: World, ada: dict[str, Any]) -> None:
    her.put(f"{ACCOUNTS}/{ada['id']}/password", json={"currentPassword": "guess", "newPassword": "a longer one"})
    assert not world.mailer.mails


def test_new_roles_are_told_and_the_same_ones_are_not(world: World, client: FlaskClient) -> None:
    german = client.post(ACCOUNTS, json=ADA | {"locale": "de"}).get_json()["id"]
    for _ in range(2):
        assert new_roles(client, client, german).status_code == 200
        [(address, mail)] = world.mailer.mails
    assert (address, mail.subject) == (ADA["email"], "Ihre Rollen wurden geändert")
    assert "diese Rollen: Käufer, Veranstalter" in mail.text


def test_what_is_done_is_answered_as_done_though_nobody_can_be_told(
    her: FlaskClient, client: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    world.mailer.down = True
    assert new_roles(her, client, ada["id"]).status_code == 200
    assert client.put(f"{ACCOUNTS}/{ada['id']}/password", json={"newPassword": "a longer one"}).status_code == 204


def new_password(her: FlaskClient, client: FlaskClient, account: str) -> Any:
    return her.put(f"{ACCOUNTS}/{account}/password", json={"currentPassword": PASSWORD, "newPassword": "a longer one"})


def new_roles(her: FlaskClient, client: FlaskClient, account: str) -> Any:
    return client.put(f"{ACCOUNTS}/{account}/roles", json={"roles": ["organizer"]})


def signed_out(her: FlaskClient, client: FlaskClient, account: str) -> Any:
    return her.delete("/api/v3/sessions/current")


@pytest.mark.parametrize("end", [new_password, new_roles, signed_out])
def test_a_change_of_address_ends_with_the_sessions_in_which_it_was_asked_for(
    her: FlaskClient,
    client: FlaskClient,
    anonymous: FlaskClient,
    world: World,
    ada: dict[str, Any],
    end: Callable[[FlaskClient, FlaskClient, str], Any],
) -> None:
    asked = her.put(f"{ACCOUNTS}/{ada['id']}/email", json=COUNTESS)
    assert end(her, client, ada["id"]).status_code < 300
    assert confirm(anonymous, code(world), asked).get_json()["type"] == "/problems/unknown-code"
    assert client.get(f"{ACCOUNTS}/{ada['id']}/email").get_json()["email"] == ADA["email"]


def test_a_new_password_ends_every_session(her: FlaskClient, anonymous: FlaskClient, ada: dict[str, Any]) -> None:
    body = {"currentPassword": PASSWORD, "newPassword": "another long one"}
    assert her.put(f"{ACCOUNTS}/{ada['id']}/password", json=body).status_code == 204
    assert her.get(f"{ACCOUNTS}/{ada['id']}").status_code == 401
    assert [sign_in(anonymous), sign_in(anonymous, password="another long one")] == [401, 201]


@pytest.mark.parametrize("current", [None, "", "wrong"])
def test_a_token_alone_does_not_change_the_password(
    her: FlaskClient, anonymous: FlaskClient, ada: dict[str, Any], current: str | None
) -> None:
    body = {"currentPassword": current, "newPassword": "another long one"}
    answer = her.put(f"{ACCOUNTS}/{ada['id']}/password", json=body)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/currentPassword")
    assert sign_in(anonymous) == 201


def test_the_present_password_cannot_be_guessed_without_end(her: FlaskClient, ada: dict[str, Any]) -> None:
    body = {"currentPassword": "guess", "newPassword": "another long one"}
    statuses = [her.put(f"{ACCOUNTS}/{ada['id']}/password", json=body).status_code for _ in range(4)]
    assert statuses == [422] * 3 + [429]


def test_a_new_password_that_is_easy_to_guess_is_refused_with_its_field(
    her: FlaskClient, client: FlaskClient, anonymous: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    body = {"currentPassword": PASSWORD, "newPassword": "LovelaceAda1815"}
    for asking in (her, client):
        answer = asking.put(f"{ACCOUNTS}/{ada['id']}/password", json=body)
        assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/newPassword")
    assert sign_in(anonymous) == 201
    for asking in (anonymous, client):
        answer = asking.post(ACCOUNTS, json=ADA | {"email": "new@buyer.example", "password": "new@buyer.example"})
        assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/password")
    assert not world.accounts.confirmations


def test_an_administrator_may_set_anybody_s_password(
    client: FlaskClient, anonymous: FlaskClient, account: dict[str, Any]
) -> None:
    body = {"newPassword": "the first password"}
    assert client.put(f"{ACCOUNTS}/{account['id']}/password", json=body).status_code == 204
    assert sign_in(anonymous, account["email"], "the first password") == 201
    assert client.put(f"{ACCOUNTS}/{uuid4()}/password", json=body).status_code == 404
