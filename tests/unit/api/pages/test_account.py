"""The language of an account: learnt at sign-up, changed on its page, followed by its mails, links and pages."""

import re
from html import unescape
from typing import Any
from uuid import UUID

import pytest

from api.pages.language import MAIL_COOKIE, NAMES
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import PASSWORD, Reader, make_account

ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@lovelace.example", "password": PASSWORD}
GERMAN = {"Accept-Language": "de"}


@pytest.fixture
def visitor(world: World) -> Reader:
    return Reader(world)


@pytest.fixture
def polish(visitor: Reader, world: World) -> UUID:
    """Ada's account in Polish; she is signed in in a German browser."""
    made = make_account(world)
    world.accounts.rows[made] = world.accounts.rows[made].model_copy(update={"locale": "pl"})
    assert visitor.sign_in().status_code == 303
    return made


def shown_in(reader: Reader, path: str = "/") -> str:
    """The language of a page in a German browser."""
    return reader.get(path, **GERMAN).headers["Content-Language"]


def mailed_path(world: World) -> str:
    """The path of the link in the newest mail, without the site."""
    found = re.search(r"https?://[^/\s]+(/\S+)$", world.mailer.mails[-1][1].text, re.MULTILINE)
    assert found
    return found[1]


def test_an_account_gets_the_language_that_its_sign_up_was_read_in(visitor: Reader, world: World) -> None:
    visitor.get("/sign-up?language=fr", **GERMAN)
    visitor.get("/sign-up", **GERMAN)
    visitor.send("/sign-up", ADA, **GERMAN)
    assert "Confirmez votre adresse" in world.mailer.mails[-1][1].subject
    visitor.client.delete_cookie("turnstile-language")
    visitor.get(mailed_path(world).replace("mail=fr&", ""), **GERMAN)
    visitor.send("/links/confirm", {}, **GERMAN)
    assert [row.locale for row in world.accounts.rows.values()] == ["fr"]
    assert shown_in(visitor) == "fr"


def test_pages_follow_the_account_unless_the_reader_chose_another_language(visitor: Reader, polish: UUID) -> None:
    assert shown_in(visitor) == "pl"
    visitor.get("/?language=es")
    assert shown_in(visitor) == "es"


def test_the_page_of_the_account_changes_its_language(visitor: Reader, polish: UUID, world: World) -> None:
    visitor.get("/account?language=es")
    visitor.get("/account", **GERMAN)
    assert "ada@lovelace.example" in visitor.page
    assert f'<option value="pl" lang="pl" selected>{NAMES["pl"]}</option>' in visitor.page
    before = world.accounts.rows[polish]
    answer = visitor.send("/account", {"language": "fr"}, **GERMAN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account?saved=")
    after = world.accounts.rows[polish]
    assert after == before.model_copy(update={"locale": "fr", "version": before.version + 1})
    assert shown_in(visitor, "/account?saved=") == "fr"
    assert "Enregistré." in visitor.page


def test_a_changed_language_makes_the_session_no_longer(visitor: Reader, polish: UUID, world: World) -> None:
    before = world.tokens.read(visitor.cookie or "")
    visitor.get("/account")
    visitor.send("/account", {"language": "fr"})
    after = world.tokens.read(visitor.cookie or "")
    assert (after.language, before.language) == ("fr", "pl")
    assert (after.account, after.roles, after.version) == (before.account, before.roles, before.version)
    assert after.expires == before.expires


def test_an_account_keeps_its_country_where_the_language_stays(visitor: Reader, polish: UUID, world: World) -> None:
    world.accounts.rows[polish] = world.accounts.rows[polish].model_copy(update={"locale": "de-AT"})
    visitor.get("/account")
    visitor.send("/account", {"language": "de"})
    assert world.accounts.rows[polish].locale == "de-AT"


@pytest.mark.parametrize("language", ["xx", "", "de-AT", "../pl"])
def test_another_language_than_those_of_the_site_is_refused(
    visitor: Reader, polish: UUID, world: World, language: str
) -> None:
    visitor.get("/account")
    assert visitor.send("/account", {"language": language}).status_code == 422
    assert world.accounts.rows[polish].locale == "pl"


def test_an_account_is_deleted_with_its_password(visitor: Reader, polish: UUID, world: World) -> None:
    visitor.get("/account/delete?language=en")
    visitor.get("/account/delete")
    refused = visitor.send("/account/delete", {"currentPassword": "guess"})
    assert (refused.status_code, polish in world.accounts.rows) == (422, True)
    assert "This is not your password." in visitor.page
    deleted = visitor.send("/account/delete", {"currentPassword": PASSWORD})
    assert (deleted.status_code, deleted.headers["Location"]) == (303, "/sign-in?deleted=")
    assert polish not in world.accounts.rows
    assert not visitor.cookie
    assert visitor.get("/account").status_code == 303
    visitor.get("/sign-in?deleted=")
    assert "Your account is deleted." in visitor.page


def test_an_organizer_with_events_is_told_why_the_account_stays(visitor: Reader, polish: UUID, world: World) -> None:
    world.accounts.organizers.add(polish)
    visitor.get("/account/delete?language=en")
    visitor.get("/account/delete")
    assert visitor.send("/account/delete", {"currentPassword": PASSWORD}).status_code == 409
    assert "You organize events" in visitor.page


def test_the_api_changes_the_language_of_an_account(polish: UUID, world: World) -> None:
    owner = world.client(polish)
    match = owner.get(f"/api/v3/accounts/{polish}").headers["ETag"]
    answer = owner.patch(f"/api/v3/accounts/{polish}", json={"locale": "es"}, headers={"If-Match": match})
    assert answer.get_json()["locale"] == "es"
    again = Reader(world)
    again.sign_in()
    assert shown_in(again) == "es"


def test_a_mailed_link_opens_in_the_language_of_its_mail(visitor: Reader, polish: UUID, world: World) -> None:
    stranger = Reader(world)
    stranger.get("/forgotten-password", **GERMAN)
    stranger.send("/forgotten-password", {"email": ADA["email"]}, **GERMAN)
    path = mailed_path(world)
    assert path.startswith("/links/reset?mail=pl&link=")
    assert shown_in(stranger, path) == "pl"
    assert stranger.send("/links/reset", {"password": "short"}, **GERMAN).headers["Content-Language"] == "pl"
    kept = stranger.client.get_cookie(MAIL_COOKIE)
    assert kept is not None
    assert (kept.http_only, kept.max_age) == (True, None)


@pytest.mark.parametrize(
    ("path", "language"), [("/links/hold?mail=es&link=x", "es"), ("/events/x?mail=es", "pl"), ("/?mail=es", "pl")]
)
def test_only_the_pages_behind_links_put_the_mail_before_the_account(
    visitor: Reader, polish: UUID, path: str, language: str
) -> None:
    assert shown_in(visitor, path) == language
    assert shown_in(visitor, path.replace("mail=es", "")) == language


def test_a_choice_comes_before_the_mail(visitor: Reader) -> None:
    visitor.get("/?language=fr")
    assert shown_in(visitor, "/links/hold?mail=es&link=x") == "fr"


@pytest.mark.parametrize("mailed", ["xx", "", "de-AT"])
def test_what_is_no_language_of_a_mail_is_ignored(visitor: Reader, mailed: str) -> None:
    assert shown_in(visitor, f"/sign-in?mail={mailed}") == "de"
    assert visitor.client.get_cookie(MAIL_COOKIE) is None


def test_a_forgotten_address_without_an_account_is_told_in_the_language_of_the_page(
    visitor: Reader, world: World
) -> None:
    visitor.get("/forgotten-password?language=fr", **GERMAN)
    visitor.get("/forgotten-password", **GERMAN)
    visitor.send("/forgotten-password", {"email": "nobody@lovelace.example"}, **GERMAN)
    assert "/sign-up?mail=fr" in world.mailer.mails[-1][1].text


def test_open_pages_get_the_availability_in_the_language_of_the_page(
    reader: Reader, world: World, on_sale: dict[str, Any]
) -> None:
    reader.get("/account")
    reader.send("/account", {"language": "pl"})
    path = f"/events/{on_sale['id']}"
    reader.get(path, **GERMAN)
    [asked] = re.findall(r'hx-get="([^"]*)"', reader.page)
    assert unescape(asked) == f"{path}/left?open=11&in=pl"
    for each in (unescape(asked), f"{path}/left?open=11&in=xx"):
        said = "Verfügbarkeit unbekannt" if each.endswith("xx") else "Dostępność nieznana"
        assert said in reader.get(each, **GERMAN).get_data(as_text=True)
