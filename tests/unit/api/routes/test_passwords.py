"""A new password for who forgot theirs, over HTTP."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from api.auth.clients import Asker
from tables.signing.links import LinkKind
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.world import World

BASE = "/api/v3"
PASSWORD = "correct horse battery"
CHOSEN = "another choice of words"
ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@lovelace.example", "password": PASSWORD}
NOBODY = "nobody@lovelace.example"


@pytest.fixture
def anonymous(world: World) -> FlaskClient:
    return world.app.test_client()


@pytest.fixture
def ada(client: FlaskClient) -> UUID:
    return UUID(client.post(f"{BASE}/accounts", json=ADA | {"locale": "de-AT"}).get_json()["id"])


def ask(anonymous: FlaskClient, email: str = ADA["email"], client: str = "127.0.0.1", **headers: str) -> Any:
    where = {"REMOTE_ADDR": client}
    return anonymous.post(f"{BASE}/password-resets", json={"email": email}, environ_base=where, headers=headers)


def link_of(world: World) -> str:
    [found] = re.findall(
        r"^http://127\.0\.0\.1:9000/links/reset\?mail=\w\w&link=(\S+)$", world.mailer.mails[-1][1].text, re.MULTILINE
    )
    return str(found)


def confirm(anonymous: FlaskClient, link: str, password: str = CHOSEN) -> Any:
    body = {"link": link, "newPassword": password}
    return anonymous.post(f"{BASE}/password-resets/confirmations", json=body)


def sign_in(anonymous: FlaskClient, password: str, email: str = ADA["email"]) -> int:
    return anonymous.post(f"{BASE}/sessions", json={"email": email, "password": password}).status_code


def test_a_mailed_link_gives_a_new_password_and_the_account_is_told(
    anonymous: FlaskClient, world: World, ada: UUID
) -> None:
    assert ask(anonymous, "ADA@lovelace.example").status_code == 202
    assert [(to, mail.subject) for to, mail in world.mailer.mails] == [(ADA["email"], "Neues Passwort festlegen")]
    assert sign_in(anonymous, PASSWORD) == 201
    assert confirm(anonymous, link_of(world)).status_code == 204
    assert [sign_in(anonymous, it) for it in (PASSWORD, CHOSEN)] == [401, 201]
    assert [(to, mail.subject) for to, mail in world.mailer.mails][1:] == [
        (ADA["email"], "Ihr Passwort wurde geändert")
    ]


def test_sessions_and_what_waits_for_its_code_end(anonymous: FlaskClient, world: World, ada: UUID) -> None:
    hers = world.client(ada)
    body = {"email": "thief@lovelace.example", "currentPassword": PASSWORD}
    wish = hers.put(f"{BASE}/accounts/{ada}/email", json=body).get_json()
    code = re.findall(r"^[A-Z2-9]{5}-[A-Z2-9]{5}$", world.mailer.mails[-1][1].text, re.MULTILINE)[0]
    ask(anonymous)
    confirm(anonymous, link_of(world))
    assert hers.get(f"{BASE}/accounts/{ada}").status_code == 401
    late = anonymous.post(f"{BASE}/accounts/confirmations", json={"code": code, "request": wish["request"]})
    assert late.status_code == 422
    assert world.accounts.rows[ada].email == ADA["email"]


def test_nothing_tells_whether_there_is_an_account(anonymous: FlaskClient, world: World, ada: UUID) -> None:
    known, unknown = ask(anonymous), ask(anonymous, NOBODY, **{"Accept-Language": "fr"})
    assert known.status_code == unknown.status_code == 202
    assert known.data.replace(b"ada@", b"nobody@") == unknown.data
    assert set(known.headers.keys()) == set(unknown.headers.keys())
    # The same work is done for both.
    assert len(world.resets.rows) == len(world.mailer.mails) == 2
    to, mail = world.mailer.mails[-1]
    assert (to, mail.language) == (NOBODY, "fr")
    assert "aucun compte" in mail.text
    assert "/links/" not in mail.text


@pytest.mark.parametrize("email", [ADA["email"], NOBODY])
def test_asking_is_slowed_down_alike(anonymous: FlaskClient, world: World, ada: UUID, email: str) -> None:
    assert [ask(anonymous, email).status_code for _ in range(5)] == [202, 202, 202, 429, 429]
    assert ask(anonymous, email).headers["Retry-After"] == "1"
    assert ask(anonymous, email, "192.0.2.9").status_code == 202
    assert ask(anonymous, "other@lovelace.example").status_code == 202
    statuses = {ask(anonymous, f"{number}@lovelace.example").status_code for number in range(30)}
    assert statuses == {202, 429}  # the ceiling of one client


@pytest.mark.parametrize("email", [ADA["email"], NOBODY])
def test_without_a_mail_server_it_is_said_alike(anonymous: FlaskClient, world: World, ada: UUID, email: str) -> None:
    world.mailer.down = True
    assert (ask(anonymous, email).status_code, ask(anonymous, email).get_json()["server"]) == (503, "mail")


@pytest.mark.parametrize("email", ["nobody", "", "a@b\0.example"])
def test_what_is_no_address_is_refused(anonymous: FlaskClient, world: World, email: str) -> None:
    answer = ask(anonymous, email)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/email")
    assert not world.mailer.mails


def test_an_account_of_an_older_form_of_address_is_found(anonymous: FlaskClient, world: World, ada: UUID) -> None:
    old = "Ada@xn--strae-oqa.example"
    world.accounts.rows[ada] = world.accounts.rows[ada].model_copy(update={"email": old})
    ask(anonymous, old.lower())
    assert world.mailer.mails[-1][0] == old
    assert confirm(anonymous, link_of(world)).status_code == 204


def test_a_link_is_good_once_and_ends_the_others(anonymous: FlaskClient, world: World, ada: UUID) -> None:
    links = []
    for _ in range(2):
        ask(anonymous)
        links.append(link_of(world))
    answers = [confirm(anonymous, link, f"{CHOSEN} {n}") for n, link in enumerate((links[0], links[0], links[1]))]
    assert [it.status_code for it in answers] == [204, 422, 422]
    assert answers[1].get_json()["type"] == "/problems/unknown-code"
    assert sign_in(anonymous, f"{CHOSEN} 0") == 201


def test_a_link_ends_with_a_new_password_and_with_a_new_address(
    anonymous: FlaskClient, client: FlaskClient, world: World, ada: UUID
) -> None:
    ask(anonymous)
    first = link_of(world)
    client.put(f"{BASE}/accounts/{ada}/password", json={"newPassword": "a password of hers"})
    ask(anonymous)
    second = link_of(world)
    client.put(f"{BASE}/accounts/{ada}/email", json={"email": "countess@lovelace.example"})
    assert [confirm(anonymous, link).status_code for link in (first, second)] == [422, 422]
    assert sign_in(anonymous, "a password of hers", "countess@lovelace.example") == 201


def test_a_weak_password_is_refused_and_the_link_stays_good(anonymous: FlaskClient, world: World, ada: UUID) -> None:
    ask(anonymous)
    link = link_of(world)
    for weak in ("short", "lovelace1815"):
        answer = confirm(anonymous, link, weak)
        assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/newPassword")
    assert confirm(anonymous, link).status_code == 204


def test_what_is_no_link_for_this_does_nothing(anonymous: FlaskClient, world: World, ada: UUID) -> None:
    ask(anonymous)
    link, links = link_of(world), world.links
    subject = links.verify(LinkKind.RESET_PASSWORD, link, NOW)
    wrong = [
        "guess",
        link[:-1],
        links.sign(LinkKind.CONFIRM_ADDRESS, subject, NOW + timedelta(hours=1)),
        links.sign(LinkKind.RESET_PASSWORD, subject, NOW),
    ]
    assert [confirm(anonymous, it).status_code for it in wrong] == [422] * 4
    assert confirm(anonymous, "once more").status_code == 429
    assert confirm(anonymous, link).status_code == 204


def test_what_is_kept_opens_nothing(anonymous: FlaskClient, world: World, ada: UUID) -> None:
    ask(anonymous)
    link = link_of(world)
    [(reset, _)] = world.resets.rows.values()
    secret = world.links.verify(LinkKind.RESET_PASSWORD, link, NOW)
    assert link not in repr(reset)
    assert secret not in (reset.link_hash, reset.email.encode())


def test_who_set_a_new_password_signs_in_whoever_guesses(anonymous: FlaskClient, world: World, ada: UUID) -> None:
    rate_limits = world.app.extensions["turnstile"].rate_limits
    for number in range(1_000):
        rate_limits.guesses.count(Asker(ADA["email"], f"client {number}"))
    rate_limits.guesses.count(Asker(ADA["email"], "127.0.0.1"))
    assert sign_in(anonymous, CHOSEN) == 429
    ask(anonymous)
    confirm(anonymous, link_of(world))
    assert sign_in(anonymous, CHOSEN) == 201
