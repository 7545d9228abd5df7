"""The link that confirms an address: in the browser of the sign-up, in another one, for another account."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest

from api.accounts.address_confirmation import ConfirmationLink
from tables.signing.links import LinkKind
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import PASSWORD, Reader, make_account

ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@lovelace.example", "password": PASSWORD}
CHOICE = "/events/1/choose?n-2=3&n-4=1"
OWN_CHOICE = "another choice of words"


@pytest.fixture
def reader(world: World) -> Reader:
    return Reader(world)


def mailed_link(world: World) -> str:
    """The path that the newest mail's link leads to; the same in text and HTML."""
    mail = world.mailer.mails[-1][1]
    [found] = re.findall(r"^https?://[^/]+(/links/\S+)$", mail.text, re.MULTILINE)
    assert found in unescape(mail.html)
    return str(found)


def sign_up(reader: Reader, password: str = PASSWORD) -> str:
    """Sign up on the way to chosen tickets; the link of the mail."""
    reader.get(f"/sign-up?{urlencode({'next': CHOICE})}")
    assert reader.send("/sign-up", ADA | {"password": password}).status_code == 303
    return mailed_link(reader.world)


def sign_in(world: World, password: str) -> int:
    body = {"email": ADA["email"], "password": password}
    return world.app.test_client().post("/api/v3/sessions", json=body).status_code


def is_signed_in(reader: Reader) -> bool:
    reader.get("/nowhere")
    return "Sign out" in reader.page


def test_a_button_makes_the_account_and_one_is_signed_in_with_the_chosen_tickets(reader: Reader) -> None:
    assert reader.get(sign_up(reader)).status_code == 200
    assert "<input id=" not in reader.page
    answer = reader.send("/links/confirm", {})
    assert (answer.status_code, answer.headers["Location"]) == (303, CHOICE)
    assert [row.email for row in reader.world.accounts.rows.values()] == [ADA["email"]]
    assert is_signed_in(reader)
    assert sign_in(reader.world, PASSWORD) == 201


def test_opening_the_link_does_nothing(reader: Reader) -> None:
    link = sign_up(reader)
    for browser in (reader, Reader(reader.world)):
        for _ in range(3):
            assert browser.get(link).status_code == 200
            browser.client.head(link)
    assert not reader.world.accounts.rows
    assert len(reader.world.accounts.confirmations) == 1
    assert not is_signed_in(reader)


def test_in_another_browser_the_password_is_chosen_there(reader: Reader) -> None:
    """Somebody signed up with an address of somebody else: that password is never valid."""
    theirs = sign_up(reader, "somebody else's")
    owner = Reader(reader.world)
    owner.get(theirs)
    assert owner.send("/links/confirm", {}).status_code == 422
    assert owner.send("/links/confirm", {"password": "LovelaceAda"}).status_code == 422
    assert "easy to guess" in owner.page
    assert not reader.world.accounts.rows
    answer = owner.send("/links/confirm", {"password": OWN_CHOICE})
    assert (answer.status_code, answer.headers["Location"]) == (303, CHOICE)
    assert (is_signed_in(owner), is_signed_in(reader)) == (True, False)
    assert [sign_in(reader.world, it) for it in ("somebody else's", OWN_CHOICE)] == [401, 201]


def test_who_signed_up_too_does_not_confirm_somebody_else_s_password(reader: Reader) -> None:
    sign_up(reader)
    theirs = sign_up(Reader(reader.world), "somebody else's")
    reader.get(theirs)
    assert reader.send("/links/confirm", {}).status_code == 422
    assert not reader.world.accounts.rows


def test_a_link_is_good_once_and_so_is_the_code_of_its_mail(reader: Reader) -> None:
    link = sign_up(reader)
    reader.get(link)
    hidden = reader.hidden("/links/confirm")
    reader.send("/links/confirm", {})
    answer = reader.get(link)
    assert answer.status_code == 410
    assert "no longer valid" in reader.page
    reader.get("/nowhere")
    again = reader.client.post("/links/confirm", data=hidden | reader.hidden("/sign-out"))
    assert again.status_code == 410
    assert len(reader.world.accounts.rows) == 1
    assert not reader.world.accounts.confirmations


def test_a_link_that_ended_is_told(reader: Reader) -> None:
    sign_up(reader)
    subject = ConfirmationLink("ABCDEFGHJK", b"x" * 24).subject
    old = reader.world.links.sign(LinkKind.CONFIRM_ADDRESS, subject, NOW - timedelta(seconds=1))
    assert reader.get(f"/links/confirm?{urlencode({'link': old})}").status_code == 410


@pytest.mark.parametrize("kind", [*LinkKind, None])
def test_what_is_no_link_of_this_kind_does_nothing(reader: Reader, kind: LinkKind | None) -> None:
    if kind is LinkKind.CONFIRM_ADDRESS:
        return
    subject = ConfirmationLink("ABCDEFGHJK", b"x" * 24).subject
    link = reader.world.links.sign(kind, subject, NOW + timedelta(days=1)) if kind else ""
    assert reader.get(f"/links/confirm?{urlencode({'link': link})}").status_code == 404
    assert "incomplete" in reader.page


def test_an_address_that_has_an_account_by_now_is_told_to_its_reader(reader: Reader) -> None:
    link = sign_up(reader)
    make_account(reader.world)
    reader.get(link)
    assert reader.send("/links/confirm", {}).status_code == 409
    assert "There is already an account with this address" in reader.page
    assert not is_signed_in(reader)


@pytest.mark.parametrize("goal", ["https://evil.example/", "//evil.example", "/x" * 1_500, "/a\\b"])
def test_a_link_leads_to_no_other_site(reader: Reader, goal: str) -> None:
    reader.get(f"/sign-up?{urlencode({'next': '/'})}")
    reader.send("/sign-up", ADA | {"next": goal})
    reader.get(mailed_link(reader.world))
    assert reader.send("/links/confirm", {}).headers["Location"] == "/"


def test_nor_does_a_goal_that_was_stored_by_somebody_else(reader: Reader) -> None:
    reader.get(sign_up(reader))
    [(key, wish)] = reader.world.accounts.confirmations.items()
    reader.world.accounts.confirmations[key] = replace(wish, goal="//evil.example")
    assert reader.send("/links/confirm", {}).headers["Location"] == "/"


def test_the_page_tells_nobody_its_address_and_is_kept_nowhere(reader: Reader) -> None:
    answer = reader.get(sign_up(reader))
    assert (answer.headers["Referrer-Policy"], answer.headers["Cache-Control"]) == ("no-referrer", "private, no-store")


def ask_for_address(world: World, account: UUID) -> Any:
    body = {"email": "countess@lovelace.example", "currentPassword": PASSWORD}
    return world.client(account).put(f"/api/v3/accounts/{account}/email", json=body)


def test_a_new_address_is_confirmed_by_the_account_that_asked_for_it(reader: Reader) -> None:
    account = make_account(reader.world)
    ask_for_address(reader.world, account)
    link = mailed_link(reader.world)
    to_sign_in = reader.get(link).headers["Location"]
    assert to_sign_in.startswith("/sign-in?next=%2Flinks%2Fconfirm%3Flink%3D")
    reader.get(to_sign_in)
    back = reader.send("/sign-in", {"email": ADA["email"], "password": PASSWORD}).headers["Location"]
    assert back == link.replace("mail=en&", "")
    reader.get(back)
    assert reader.send("/links/confirm", {}).status_code == 303
    assert reader.world.accounts.rows[account].email == "countess@lovelace.example"
    assert reader.world.mailer.mails[-1][0] == ADA["email"]
    assert is_signed_in(reader)


def test_nobody_else_confirms_the_new_address_of_an_account(reader: Reader) -> None:
    account = make_account(reader.world)
    ask_for_address(reader.world, account)
    link = mailed_link(reader.world)
    make_account(reader.world, email="eve@thief.example")
    reader.sign_in("eve@thief.example")
    assert reader.get(link).status_code == 403
    key = reader.hidden("/sign-out")
    text = unescape(link.partition("link=")[2])
    assert reader.client.post("/links/confirm", data=key | {"link": text}).status_code == 403
    assert reader.world.accounts.rows[account].email == ADA["email"]


def test_the_link_of_a_new_address_ends_with_the_sessions(reader: Reader) -> None:
    account = make_account(reader.world)
    ask_for_address(reader.world, account)
    link = mailed_link(reader.world)
    reader.world.revocations.end_sessions(account)
    reader.sign_in()
    reader.get(link)
    assert reader.send("/links/confirm", {}).status_code == 422
    assert reader.world.accounts.rows[account].email == ADA["email"]
