"""The session cookie of the pages: whose it is, how it is set, and what it permits."""

from typing import Any

import pytest

from api.app import trust_proxies
from api.auth.clients import Asker
from api.pages.addresses import local_path
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import Reader, make_account

TLS = "https://tickets.example"


@pytest.fixture
def reader(world: World) -> Reader:
    make_account(world)
    return Reader(world)


def set_cookie(answer: Any, name: str = "turnstile") -> str:
    """The line that sets the session's cookie, or another one."""
    lines = answer.headers.getlist("Set-Cookie")
    [line] = [each for each in lines if each.removeprefix("__Host-").startswith(f"{name}=")]
    return str(line)


def test_whoever_signs_in_is_led_on_and_known_afterwards(reader: Reader) -> None:
    answer = reader.sign_in()
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    reader.get("/nowhere")
    assert "Sign out" in reader.page


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(reader: Reader) -> None:
    line = set_cookie(reader.sign_in())
    assert line.startswith("turnstile=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=28800"} <= set(line.split("; "))
    assert "Secure" not in line


def test_behind_tls_the_cookie_is_secure_and_bound_to_the_host(reader: Reader) -> None:
    reader.host = TLS
    line = set_cookie(reader.sign_in())
    assert line.startswith("__Host-turnstile=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(line.split("; "))
    assert "Domain" not in line


@pytest.mark.parametrize(("proxies", "secure"), [(0, False), (1, True)])
def test_a_proxy_that_ends_tls_is_believed_where_there_is_one(world: World, proxies: int, secure: bool) -> None:
    trust_proxies(world.app, proxies)
    line = set_cookie(Reader(world).get("/sign-in", **{"X-Forwarded-Proto": "https"}))
    assert ("Secure" in line) is secure


def test_signing_in_replaces_the_cookie_so_that_nobody_can_choose_it(reader: Reader) -> None:
    planted = "v." + "a" * 32
    reader.client.set_cookie("turnstile", planted)
    reader.get("/sign-in")
    assert reader.cookie == planted
    reader.sign_in()
    assert reader.cookie not in (None, planted)
    thief = Reader(reader.world)
    thief.client.set_cookie("turnstile", planted)
    thief.get("/nowhere")
    assert "Sign out" not in thief.page


def test_a_session_that_is_planted_between_form_and_sign_in_is_noticed(reader: Reader) -> None:
    make_account(reader.world, email="eve@thief.example")
    thief = Reader(reader.world)
    thief.sign_in("eve@thief.example")
    reader.get("/sign-in")
    key = reader.hidden("/sign-in")
    reader.client.set_cookie("turnstile", thief.cookie or "")
    answer = reader.client.post(
        "/sign-in", data=key | {"email": "ada@lovelace.example", "password": "correct horse battery"}
    )
    assert answer.status_code == 403


def test_the_cookie_opens_no_rest_route(reader: Reader) -> None:
    reader.sign_in()
    assert reader.client.get("/api/v3/sessions/current").status_code == 401
    answer = reader.client.post("/api/v3/purchases", json={}, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 401


def test_signing_out_ends_the_session_everywhere(reader: Reader) -> None:
    elsewhere = Reader(reader.world)
    elsewhere.sign_in()
    reader.sign_in()
    kept = reader.cookie
    reader.get("/nowhere")
    answer = reader.send("/sign-out")
    assert (answer.status_code, reader.cookie) == (303, None)
    reader.client.set_cookie("turnstile", kept or "")
    for each in (reader, elsewhere):
        each.get("/nowhere")
        assert "Sign out" not in each.page


def test_a_cookie_that_is_no_good_any_more_is_taken_away(reader: Reader) -> None:
    reader.client.set_cookie("turnstile", "e.y.J")
    line = set_cookie(reader.get("/nowhere"))
    assert line.startswith("turnstile=;")
    assert "Max-Age=0" in line


def test_a_wrong_password_is_told_and_not_shown_again(reader: Reader) -> None:
    reader.get("/sign-in")
    answer = reader.send("/sign-in", {"email": "ada@lovelace.example", "password": "guess me not"})
    assert answer.status_code == 401
    assert "Wrong e-mail or password" in reader.page
    assert 'value="ada@lovelace.example"' in reader.page
    assert "guess me not" not in reader.page
    assert reader.cookie is None or reader.cookie.startswith("v.")


def test_guessing_is_slowed_down_as_at_the_rest_route(reader: Reader) -> None:
    for _ in range(3):
        reader.sign_in("nobody@lovelace.example")
    assert reader.sign_in("nobody@lovelace.example").status_code == 429
    assert "Too many tries" in reader.page


@pytest.mark.parametrize(
    ("asked", "goal"),
    [
        ("/tickets?page=2", "/tickets?page=2"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("/x\\..", "/"),
        ("tickets", "/"),
        ("http://[", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_a_link_leads_nobody_to_another_site(reader: Reader, asked: str | None, goal: str) -> None:
    assert local_path(asked) == goal
    reader.get("/sign-in")
    answer = reader.send(
        "/sign-in",
        {"email": "ada@lovelace.example", "password": "correct horse battery"} | ({"next": asked} if asked else {}),
    )
    assert answer.headers["Location"] == goal
    assert all("a=b" not in line for line in answer.headers.getlist("Set-Cookie"))


def test_whoever_must_sign_in_first_comes_back(reader: Reader) -> None:
    answer = reader.send("/sign-out", Referer="http://localhost/events/1?x=1")
    assert answer.headers["Location"] == "/sign-in?next=%2Fevents%2F1%3Fx%3D1"
    answer = reader.send("/sign-out", Referer="http://evil.example/events/1")
    assert answer.headers["Location"] == "/sign-in?next=%2F"
    assert reader.send("/sign-out", Referer="http://[").status_code == 303


def guess_from_everywhere(world: World, email: str) -> None:
    guesses = world.app.extensions["turnstile"].rate_limits.guesses
    for number in range(1_000):
        guesses.count(Asker(email, f"client {number}"))
    for _ in range(4):
        guesses.count(Asker(email, "127.0.0.1"))


def test_guesses_do_not_make_a_browser_wait_in_which_one_signed_in_before(reader: Reader) -> None:
    reader.sign_in()
    elsewhere = Reader(reader.world)
    guess_from_everywhere(reader.world, "ada@lovelace.example")
    reader.client.delete_cookie("turnstile")
    assert [elsewhere.sign_in().status_code, reader.sign_in().status_code] == [429, 303]


def test_a_browser_is_known_for_one_account_alone_and_by_our_cookie(reader: Reader) -> None:
    make_account(reader.world, email="eve@thief.example")
    reader.sign_in("eve@thief.example")
    guess_from_everywhere(reader.world, "ada@lovelace.example")
    reader.client.delete_cookie("turnstile")
    assert reader.sign_in().status_code == 429
    reader.client.set_cookie("turnstile-device", f"{'a' * 16}.{'b' * 43}")
    assert reader.sign_in().status_code == 429


def test_guessing_with_a_known_browser_is_slowed_down_too(reader: Reader) -> None:
    reader.sign_in()
    for status in (401, 401, 401, 429):
        reader.client.delete_cookie("turnstile")
        reader.get("/sign-in")
        answer = reader.send("/sign-in", {"email": "ada@lovelace.example", "password": "guess me not"})
        assert answer.status_code == status


def test_the_cookie_of_a_browser_is_out_of_reach_and_opens_nothing(reader: Reader) -> None:
    line = set_cookie(reader.sign_in(), "turnstile-device")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(line.split("; "))
    reader.client.delete_cookie("turnstile")
    reader.get("/nowhere")
    assert "Sign out" not in reader.page
