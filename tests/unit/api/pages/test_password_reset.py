"""A forgotten password, through the forms."""

import re
from html import unescape
from urllib.parse import unquote, urlencode

import pytest

from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import PASSWORD, Reader, make_account

ADA = "ada@lovelace.example"
CHOSEN = "another choice of words"


@pytest.fixture
def reader(world: World) -> Reader:
    make_account(world)
    return Reader(world)


def ask(reader: Reader, email: str = ADA) -> str:
    """Ask for a link; the path that it leads to."""
    reader.get("/forgotten-password")
    assert reader.send("/forgotten-password", {"email": email}).status_code == 303
    found = re.search(r"^http://[^/]+(/links/reset\?\S+)$", reader.world.mailer.mails[-1][1].text, re.MULTILINE)
    return found[1] if found else ""


def sign_in(reader: Reader, password: str) -> int:
    reader.get("/sign-in")
    return reader.send("/sign-in", {"email": ADA, "password": password}).status_code


def test_the_sign_in_leads_to_a_new_password_and_back(reader: Reader) -> None:
    reader.get(f"/sign-in?{urlencode({'email': ADA})}")
    [asking] = re.findall(r'href="(/forgotten-password[^"]*)"', reader.page)
    reader.get(unescape(asking))
    assert f'value="{ADA}"' in reader.page
    sent = reader.send("/forgotten-password", {"email": ADA}).headers["Location"]
    reader.get(sent)
    assert "If there is an account with this address" in reader.page
    link = re.search(r"(/links/reset\?\S+)", reader.world.mailer.mails[-1][1].text)
    assert link
    reader.get(link[1])
    answer = reader.send("/links/reset", {"password": CHOSEN})
    assert answer.status_code == 303
    reader.get(answer.headers["Location"])
    assert "Your new password is set" in reader.page
    assert reader.send("/sign-in", {"email": ADA, "password": CHOSEN}).status_code == 303


def test_opening_the_link_changes_nothing(reader: Reader) -> None:
    link = ask(reader)
    for _ in range(3):
        assert reader.get(link).status_code == 200
        reader.client.head(link)
    assert sign_in(reader, PASSWORD) == 303


def test_every_address_is_answered_alike(reader: Reader) -> None:
    pages = []
    for email in (ADA, "eve@lovelace.example"):
        reader.get("/forgotten-password")
        answer = reader.send("/forgotten-password", {"email": email})
        assert answer.status_code == 303
        pages.append(unquote(reader.get(answer.headers["Location"]).get_data(as_text=True)).replace(email, ""))
    keys = re.compile(r'name="csrf_token" value="[^"]*"')
    assert keys.sub("", pages[0]) == keys.sub("", pages[1])


def test_a_weak_password_is_told_beside_its_field_and_the_link_stays_good(reader: Reader) -> None:
    reader.get(ask(reader))
    for weak in ("", "short", "lovelace1815"):
        assert reader.send("/links/reset", {"password": weak}).status_code == 422
        assert 'id="password-said" class="wrong"' in reader.page
    assert reader.send("/links/reset", {"password": CHOSEN}).status_code == 303


def test_a_used_or_broken_link_says_so(reader: Reader) -> None:
    link = ask(reader)
    reader.get(link)
    reader.send("/links/reset", {"password": CHOSEN})
    for path in (link, link[:-1], "/links/reset"):
        assert reader.get(path).status_code == 410
        assert "no longer valid" in reader.page


def test_too_many_mails_are_refused_in_the_page(reader: Reader) -> None:
    for _ in range(3):
        ask(reader)
    reader.get("/forgotten-password")
    assert reader.send("/forgotten-password", {"email": ADA}).status_code == 429
    assert reader.send("/forgotten-password", {"email": "nobody"}).status_code == 422


def test_the_page_of_the_link_tells_nobody_its_address(reader: Reader) -> None:
    assert reader.get(ask(reader)).headers["Referrer-Policy"] == "no-referrer"


def test_the_browser_is_known_afterwards(reader: Reader) -> None:
    reader.get(ask(reader))
    reader.send("/links/reset", {"password": CHOSEN})
    assert reader.client.get_cookie("turnstile-device")
