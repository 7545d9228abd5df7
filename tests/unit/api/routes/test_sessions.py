"""Signing in, and what a token is good for."""

import time
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from api.auth.clients import Asker
from api.auth.tokens import Tokens
from api.problems import Refused
from api.roles import Role
from api.web.permissions import PERMISSIONS, register_permissions
from tests.unit.api.fakes.accounts import CHEAP
from tests.unit.api.fakes.world import World

BASE = "/api/v3"
PASSWORD = "correct horse battery"
ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@lovelace.example", "password": PASSWORD}


@pytest.fixture
def ada(client: FlaskClient) -> dict[str, Any]:
    made: dict[str, Any] = client.post(f"{BASE}/accounts", json=ADA).get_json()
    return made


@pytest.fixture
def anonymous(world: World) -> FlaskClient:
    return world.app.test_client()


def sign_in(anonymous: FlaskClient, **change: str) -> Any:
    body = {"email": "ada@lovelace.example", "password": PASSWORD}
    return anonymous.post(f"{BASE}/sessions", json=body | change)


def read_account(anonymous: FlaskClient, account: str, header: str) -> Any:
    return anonymous.get(f"{BASE}/accounts/{account}", headers={"Authorization": header})


def test_whoever_signs_in_gets_a_token_that_shows_who_they_are(anonymous: FlaskClient, ada: dict[str, Any]) -> None:
    answer = sign_in(anonymous, email="ADA@lovelace.example")
    session = answer.get_json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "private, no-store")
    assert (session["accountId"], session["roles"], session["tokenType"]) == (ada["id"], ["buyer"], "Bearer")
    header = f"Bearer {session['token']}"
    assert read_account(anonymous, ada["id"], header).status_code == 200
    current = anonymous.get(f"{BASE}/sessions/current", headers={"Authorization": header}).get_json()
    assert current == {name: session[name] for name in ("accountId", "roles", "expiresAt")}


@pytest.mark.parametrize("domain", ["straße.example", "STRAßE.example", "xn--strae-oqa.example", "STRASSE.example"])
def test_an_address_is_the_same_account_whichever_way_it_is_written(client: FlaskClient, domain: str) -> None:
    client.post(f"{BASE}/accounts", json=ADA | {"email": "u\u0308ser@STRAßE.example"})
    same = domain != "STRASSE.example"
    again = client.post(f"{BASE}/accounts", json=ADA | {"email": f"üser@{domain}"})
    assert again.status_code == (409 if same else 201)
    assert "üser@straße.example" in [row["email"] for row in client.get(f"{BASE}/accounts").get_json()["items"]]
    assert sign_in(client, email=f"üser@{domain}").status_code == 201


def test_the_longest_address_signs_in(client: FlaskClient) -> None:
    email = f"{'a' * 64}@{'.'.join(['b' * 59] * 3)}.example"
    assert client.post(f"{BASE}/accounts", json=ADA | {"email": email}).status_code == 201
    assert sign_in(client, email=email).status_code == 201


def test_an_older_row_signs_in_as_it_is_written(anonymous: FlaskClient, world: World, ada: dict[str, Any]) -> None:
    account = world.accounts.rows[UUID(ada["id"])]
    world.accounts.rows[account.id] = account.model_copy(update={"email": "Ada@xn--strae-oqa.example"})
    assert sign_in(anonymous, email="ada@xn--strae-oqa.example").status_code == 201


def test_an_unknown_address_and_a_wrong_password_are_one_answer(anonymous: FlaskClient, ada: dict[str, Any]) -> None:
    answers = [sign_in(anonymous, email="nobody@lovelace.example"), sign_in(anonymous, password="wrong")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].data == answers[1].data
    assert dict(answers[0].headers) == dict(answers[1].headers)
    assert "Bearer" in answers[0].headers["WWW-Authenticate"]


def test_an_account_without_a_password_cannot_sign_in(anonymous: FlaskClient, account: dict[str, Any]) -> None:
    assert sign_in(anonymous, email=account["email"], password="").status_code == 401


def test_guessing_is_slowed_down_for_the_client_that_guesses(anonymous: FlaskClient, ada: dict[str, Any]) -> None:
    assert [sign_in(anonymous, password="guess").status_code for _ in range(3)] == [401] * 3
    refused = sign_in(anonymous)
    assert (refused.status_code, refused.get_json()["type"]) == (429, "/problems/too-many-requests")
    assert refused.headers["Retry-After"] == "1"
    assert sign_in(anonymous, email="eve@thief.example").status_code == 401
    elsewhere = {"REMOTE_ADDR": "192.0.2.9"}
    body = {"email": ADA["email"], "password": PASSWORD}
    assert anonymous.post(f"{BASE}/sessions", json=body, environ_base=elsewhere).status_code == 201


def test_the_right_password_makes_the_wrong_ones_before_it_good(anonymous: FlaskClient, ada: dict[str, Any]) -> None:
    tries = ["guess", "guess", PASSWORD] * 2
    assert [sign_in(anonymous, password=each).status_code for each in tries] == [401, 401, 201] * 2


def test_an_unknown_address_is_slowed_down_as_one_with_an_account(anonymous: FlaskClient, ada: dict[str, Any]) -> None:
    for email in ("nobody@lovelace.example", ADA["email"]):
        answers = [sign_in(anonymous, email=email, password="guess") for _ in range(5)]
        assert [(it.status_code, it.headers.get("Retry-After")) for it in answers[3:]] == [(429, "1")] * 2


def test_a_crowd_behind_one_address_signs_in(anonymous: FlaskClient, ada: dict[str, Any]) -> None:
    assert {sign_in(anonymous).status_code for _ in range(200)} == {201}


def test_there_is_a_ceiling_for_one_client(anonymous: FlaskClient, ada: dict[str, Any]) -> None:
    # The next minute may begin meanwhile.
    answers = (sign_in(anonymous) for _ in range(501))
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_guesses_from_everywhere_do_not_stop_the_owner_where_she_signed_in_before(
    anonymous: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    assert sign_in(anonymous).status_code == 201
    guesses = world.app.extensions["turnstile"].rate_limits.guesses
    for number in range(1_100):
        guesses.count(Asker(ADA["email"], f"client {number}"))
    assert sign_in(anonymous, email=ADA["email"].upper()).status_code == 201
    body = {"email": ADA["email"], "password": PASSWORD}
    elsewhere = anonymous.post(f"{BASE}/sessions", json=body, environ_base={"REMOTE_ADDR": "192.0.2.9"})
    assert elsewhere.status_code == 429


def test_signing_up_answers_the_same_for_a_known_and_an_unknown_address(
    anonymous: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    known = anonymous.post(f"{BASE}/accounts", json=ADA | {"firstName": "Eve", "password": "another password"})
    unknown = anonymous.post(f"{BASE}/accounts", json=ADA | {"email": "new@lovelace.example"})
    assert (known.status_code, unknown.status_code) == (202, 202)
    assert known.get_json().keys() == unknown.get_json().keys()
    assert set(known.headers.keys()) == set(unknown.headers.keys())
    assert [mail.subject for _, mail in world.mailer.mails] == ["Confirm your address"] * 2
    assert len(world.accounts.rows) == 1
    assert sign_in(anonymous).status_code == 201


def test_signing_up_takes_a_password_and_gives_no_role(anonymous: FlaskClient, world: World) -> None:
    short = anonymous.post(f"{BASE}/accounts", json=ADA | {"password": "short"})
    assert (short.status_code, short.get_json()["errors"][0]["pointer"]) == (422, "/password")
    none = anonymous.post(f"{BASE}/accounts", json={**ADA, "password": None})
    assert (none.status_code, none.get_json()["errors"][0]["pointer"]) == (422, "/password")
    for own in ({"roles": ["administrator"]}, {"id": str(uuid4())}):
        assert anonymous.post(f"{BASE}/accounts", json=ADA | own).status_code == 403
    assert not world.accounts.rows


def sign_up(anonymous: FlaskClient, email: str, client: str = "127.0.0.1") -> int:
    environ = {"REMOTE_ADDR": client}
    return anonymous.post(f"{BASE}/accounts", json=ADA | {"email": email}, environ_base=environ).status_code


def test_a_client_may_have_only_so_many_mails_sent_to_one_address(anonymous: FlaskClient) -> None:
    assert [sign_up(anonymous, "a@b.example") for _ in range(5)] == [202, 202, 202, 429, 429]
    assert sign_up(anonymous, "A@B.example") == 429
    assert [sign_up(anonymous, "c@b.example"), sign_up(anonymous, "a@b.example", "192.0.2.9")] == [202, 202]


def test_a_sign_up_that_sends_no_mail_counts_for_none(anonymous: FlaskClient) -> None:
    weak = ADA | {"password": "password12", "email": "a@b.example"}
    assert {anonymous.post(f"{BASE}/accounts", json=weak).status_code for _ in range(5)} == {422}
    assert sign_up(anonymous, "a@b.example") == 202


def test_there_is_a_ceiling_for_sign_ups_of_one_client(anonymous: FlaskClient) -> None:
    assert [sign_up(anonymous, f"{number}@b.example") for number in range(31)] == [202] * 30 + [429]


def test_signing_out_ends_every_session(anonymous: FlaskClient, ada: dict[str, Any]) -> None:
    first, second = (f"Bearer {sign_in(anonymous).get_json()['token']}" for _ in range(2))
    assert anonymous.delete(f"{BASE}/sessions/current", headers={"Authorization": first}).status_code == 204
    assert [read_account(anonymous, ada["id"], header).status_code for header in (first, second)] == [401, 401]
    third = f"Bearer {sign_in(anonymous).get_json()['token']}"
    assert read_account(anonymous, ada["id"], third).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic YTpi", "bearer \xff"])
def test_what_is_no_token_is_refused_even_where_none_is_needed(
    anonymous: FlaskClient, event: dict[str, Any], header: str
) -> None:
    for path in (f"{BASE}/accounts/{uuid4()}", f"{BASE}/events/{event['id']}"):
        answer = anonymous.get(path, headers={"Authorization": header})
        assert (answer.status_code, answer.get_json()["type"]) == (401, "/problems/unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_is_good_for_its_time_and_no_longer(world: World) -> None:
    now = [1_000_000.0]
    tokens = Tokens(["k" * 32], 60, lambda: now[0])
    text, caller = tokens.issue(uuid4(), frozenset({Role.BUYER}), 3)
    assert tokens.read(text) == caller
    now[0] += 59
    assert tokens.read(text).version == 3
    now[0] += 1
    with pytest.raises(Refused, match="expired"):
        tokens.read(text)


def test_a_token_of_the_key_before_is_read_and_none_is_made_with_it() -> None:
    account = uuid4()
    text, _ = Tokens(["old" * 12], 60).issue(account, frozenset({Role.BUYER}))
    both = Tokens(["new" * 12, "old" * 12], 60)
    assert both.read(text).account == account
    made, _ = both.issue(account, frozenset({Role.BUYER}))
    assert Tokens(["new" * 12], 60).read(made).account == account
    with pytest.raises(Refused):
        Tokens(["new" * 12], 60).read(text)


@pytest.mark.parametrize(
    ("claims", "algorithm"),
    [
        ({}, "HS512"),
        ({"sub": "admin"}, "HS256"),
        ({"roles": ["owner"]}, "HS256"),
        ({"exp": "never"}, "HS256"),
        ({"exp": None}, "HS256"),
        ({"version": None}, "HS256"),
        ({"exp": 1}, "HS256"),
    ],
)
def test_a_token_that_was_made_otherwise_is_refused(claims: dict[str, Any], algorithm: str) -> None:
    whole = {"sub": str(uuid4()), "roles": ["buyer"], "version": 0, "exp": int(time.time()) + 60}
    text = jwt.encode(whole | claims, "k" * 64, algorithm)
    with pytest.raises(Refused):
        Tokens(["k" * 64], 60).read(text)


def test_a_token_without_a_signature_is_refused() -> None:
    claims = {"sub": str(uuid4()), "roles": ["administrator"], "version": 0, "exp": int(time.time()) + 60}
    with pytest.raises(Refused):
        Tokens(["k" * 32], 60).read(jwt.encode(claims, "", "none"))


def test_a_seal_is_no_signature_of_a_token() -> None:
    """Else a text that is sealed for a client, such as its address, would be a token."""
    tokens = Tokens(["k" * 32], 60)
    text, _ = tokens.issue(uuid4(), frozenset({Role.ADMINISTRATOR}))
    header, payload, _ = text.split(".")
    for begin in (header, "x"):
        for forged in (begin, f"seal\0{begin}"):
            with pytest.raises(Refused, match="not valid"):
                tokens.read(f"{forged}.{payload}.{tokens.seal(f'{begin}.{payload}')}")


def test_an_operation_without_a_row_is_not_served() -> None:
    app = Flask("new", static_folder=None)
    app.add_url_rule(f"{BASE}/forgotten", "forgotten", lambda: "open")
    with pytest.raises(ValueError, match="forgotten"):
        register_permissions(app)


def test_every_row_has_its_operation(world: World) -> None:
    served = {rule.endpoint.rpartition(".")[2] for rule in world.app.url_map.iter_rules() if BASE in rule.rule}
    assert served == set(PERMISSIONS)


def test_hashes_at_other_costs_are_made_anew_when_their_password_is_at_hand(
    anonymous: FlaskClient, world: World, ada: dict[str, Any]
) -> None:
    account = UUID(ada["id"])
    world.accounts.hashes[account] = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    assert sign_in(anonymous).status_code == 201
    assert not CHEAP.check_needs_rehash(world.accounts.hashes[account])
    assert sign_in(anonymous).status_code == 201
