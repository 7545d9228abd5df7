"""Signing up through the forms."""

import re
from urllib.parse import urlencode

import pytest

from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import PASSWORD, Reader, make_account

ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@lovelace.example", "password": PASSWORD}


@pytest.fixture
def reader(world: World) -> Reader:
    reader = Reader(world)
    reader.get("/sign-up?next=/events/1")
    return reader


def mailed_code(world: World) -> str:
    found = re.search(r"^([A-Z2-9]{5}-[A-Z2-9]{5})$", world.mailer.mails[-1][1].text, re.MULTILINE)
    assert found
    return found[1]


def test_an_account_is_made_with_the_code_from_the_mail(reader: Reader) -> None:
    answer = reader.send("/sign-up", ADA)
    assert answer.headers["Location"] == "/confirm?email=ada%40lovelace.example&next=%2Fevents%2F1"
    assert not reader.world.accounts.rows
    reader.get(answer.headers["Location"])
    answer = reader.send("/confirm", {"code": f" {mailed_code(reader.world)} "})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/events/1")
    assert [row.email for row in reader.world.accounts.rows.values()] == [ADA["email"]]
    reader.get("/nowhere")
    assert "Sign out" in reader.page


def test_every_address_is_answered_alike(reader: Reader) -> None:
    make_account(reader.world)
    known = reader.send("/sign-up", ADA)
    reader.get("/sign-up?next=/events/1")
    unknown = reader.send("/sign-up", ADA | {"email": "eve@lovelace.example"})
    assert known.status_code == unknown.status_code == 303
    assert known.data.replace(b"ada", b"eve") == unknown.data


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("email", "nobody", "enter an e-mail address"),
        ("password", "short", "At least 10 characters"),
        ("password", "password12", "easy to guess"),
        ("firstName", "", "fill this in"),
        ("firstName", "\u200b", "fill this in"),
        ("lastName", "\u3164", "fill this in"),
        ("lastName", "x" * 101, "At most 100 characters"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_the_rest_is_kept(
    reader: Reader, field: str, value: str, said: str
) -> None:
    assert reader.send("/sign-up", ADA | {field: value}).status_code == 422
    found = re.search(rf'<p id="{field}-said" class="wrong">([^<]*)</p>', reader.page)
    assert found
    assert said in found[1]
    assert 'value="Lovelace"' in reader.page or field == "lastName"
    assert PASSWORD not in reader.page
    assert not reader.world.mailer.mails


def test_one_name_is_enough(reader: Reader) -> None:
    answer = reader.send("/sign-up", ADA | {"firstName": "Sukarno", "lastName": ""})
    reader.get(answer.headers["Location"])
    reader.send("/confirm", {"code": mailed_code(reader.world)})
    assert [(row.first_name, row.last_name) for row in reader.world.accounts.rows.values()] == [("Sukarno", "")]


def test_nobody_gives_themselves_a_role(reader: Reader) -> None:
    answer = reader.send("/sign-up", ADA | {"roles": "administrator", "id": "00000000-0000-0000-0000-000000000000"})
    reader.get(answer.headers["Location"])
    reader.send("/confirm", {"code": mailed_code(reader.world)})
    [account] = reader.world.accounts.rows.values()
    assert account.roles == ["buyer"]


def test_a_code_that_somebody_else_requested_is_not_valid_behind_a_link_of_theirs(reader: Reader) -> None:
    """Else the address's owner, who gets the code, would confirm the password of a stranger."""
    reader.send("/sign-up", ADA | {"password": "somebody else's"})
    kept = reader.client.get_cookie("turnstile-sign-up")
    request = {"request": kept.value if kept else ""}
    owner = Reader(reader.world)
    owner.get(f"/confirm?{urlencode({'email': ADA['email']} | request)}")
    assert owner.send("/confirm", request | {"code": mailed_code(reader.world)}).status_code == 422
    assert not reader.world.accounts.rows


def test_a_code_is_good_once(reader: Reader) -> None:
    answer = reader.send("/sign-up", ADA)
    code = mailed_code(reader.world)
    for status in (303, 422):
        reader.get(answer.headers["Location"])
        assert reader.send("/confirm", {"code": code}).status_code == status
    assert "This is not valid" in reader.page


def test_after_a_wrong_code_the_right_one_is_still_good(reader: Reader) -> None:
    reader.get(reader.send("/sign-up", ADA).headers["Location"])
    assert [reader.send("/confirm", {"code": it}).status_code for it in ("no", mailed_code(reader.world))] == [422, 303]


def test_an_address_cannot_smuggle_a_header(reader: Reader) -> None:
    assert reader.send("/sign-up", ADA | {"email": "ada@lovelace.example\r\nBcc: eve@evil.example"}).status_code == 422
    answer = reader.get("/sign-in?next=/x%0d%0aSet-Cookie:%20a=b&email=a%0d%0ab")
    assert all("a=b" not in line for line in answer.headers.getlist("Set-Cookie"))


def test_asking_for_codes_is_slowed_down(reader: Reader) -> None:
    for _ in range(3):
        assert reader.send("/sign-up", ADA).status_code == 303
        reader.get("/sign-up")
    assert reader.send("/sign-up", ADA).status_code == 429
    assert "Too many tries" in reader.page
