"""Forms: only those of this session are accepted, whatever another site makes a browser send."""

from typing import Any

import pytest

from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import PASSWORD, Reader, make_account

ADA = {"email": "ada@lovelace.example", "password": PASSWORD}


@pytest.fixture
def reader(world: World) -> Reader:
    make_account(world)
    reader = Reader(world)
    reader.get("/sign-in")
    return reader


def test_a_form_without_its_key_does_nothing(reader: Reader) -> None:
    answer = reader.client.post("/sign-in", data=ADA)
    assert answer.status_code == 403
    assert "page has expired" in answer.get_data(as_text=True)


@pytest.mark.parametrize("key", ["", ".", "a.b", "ä.ü", "a" * 5000])
def test_a_made_up_key_does_nothing(reader: Reader, key: str) -> None:
    assert reader.send("/sign-in", ADA | {"csrf_token": key}).status_code == 403


def test_another_sessions_key_does_nothing(reader: Reader) -> None:
    thief = Reader(reader.world)
    thief.get("/sign-in")
    stolen = thief.hidden("/sign-in")
    assert reader.send("/sign-in", ADA | stolen).status_code == 403


def test_the_key_of_before_the_sign_in_is_no_good_after_it(reader: Reader) -> None:
    before = reader.hidden("/sign-in")
    reader.sign_in()
    reader.get("/nowhere")
    assert reader.client.post("/sign-out", data=before).status_code == 403
    assert reader.send("/sign-out").status_code == 303


def test_a_key_is_another_one_each_time(reader: Reader) -> None:
    first = reader.hidden("/sign-in")["csrf_token"]
    reader.get("/sign-in")
    assert reader.hidden("/sign-in")["csrf_token"] != first


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({}, 303),
    ],
)
def test_a_form_from_another_site_does_nothing(reader: Reader, headers: dict[str, str], status: int) -> None:
    assert reader.send("/sign-in", ADA, **headers).status_code == status


@pytest.mark.parametrize(
    "more",
    [{"json": ADA}, {"data": b"x", "content_type": "text/plain"}, {"data": ADA, "content_type": "multipart/form-data"}],
)
def test_what_is_no_form_is_not_taken(reader: Reader, more: dict[str, Any]) -> None:
    assert reader.client.post("/sign-in", **more).status_code == 415


def test_a_form_is_bounded(reader: Reader) -> None:
    assert reader.send("/sign-in", ADA | {"x": "x" * 70_000}).status_code == 413


@pytest.mark.parametrize("path", ["/links/hold", "/links/purchase", "/links/confirm", "/links/reset"])
def test_a_form_of_a_mailed_link_is_bounded_too(reader: Reader, path: str) -> None:
    """Its page leads to the link in other languages, for which the form is read."""
    for content_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = reader.client.post(path, data=b"x" * 700_000, content_type=content_type)
        assert (answer.status_code, answer.mimetype) == (413, "text/html")
