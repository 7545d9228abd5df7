"""What every route shares: bodies that can't be read, and errors that become problems."""

import asyncio
import io
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from api.problems import Unavailable
from api.web import raw_response
from api.web.body_sizes import BODY_MAX_BYTES
from telemetry.rate_limited import RateLimitedLog
from tests.unit.api.fakes.world import World

ACCOUNTS = "/api/v3/accounts"


def post(client: FlaskClient, data: bytes, media_type: str = "application/json") -> Any:
    return client.post(ACCOUNTS, data=data, content_type=media_type)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b'{"a":1}}', b"{'a':1}", b'{"a":NaN}', b'{"a":"\xff"}', b'{"a":"\\ud800"}', b"[" * 60_000],
)
def test_a_body_that_is_not_json_is_a_bad_request(client: FlaskClient, data: bytes) -> None:
    answer = post(client, data)
    assert (answer.status_code, answer.get_json()["type"]) == (400, "/problems/malformed-request")
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("data", [b"[]", b"null", b"1", b'"{\\"firstName\\":\\"Ada\\"}"'])
def test_a_body_that_is_no_object_is_refused(client: FlaskClient, data: bytes) -> None:
    answer = post(client, data)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "")


def test_a_body_of_another_media_type_is_refused(client: FlaskClient) -> None:
    answer = post(client, b"firstName=Ada", "application/x-www-form-urlencoded")
    assert (answer.status_code, answer.get_json()["type"]) == (415, "/problems/unsupported-media-type")


@pytest.mark.parametrize("path", [ACCOUNTS, "/api/v3/purchases", "/sign-in"])
@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, identity"])
def test_a_body_in_a_coding_is_refused(client: FlaskClient, path: str, coding: str) -> None:
    answer = client.post(path, json={}, headers={"Content-Encoding": coding})
    assert (answer.status_code, answer.headers.get("Accept-Encoding")) == (415, "identity")
    assert client.post(path, json={}, headers={"Content-Encoding": "Identity"}).headers.get("Accept-Encoding") is None


def test_a_large_body_is_refused_unread(client: FlaskClient) -> None:
    answer = post(client, b'{"firstName":"' + b"a" * BODY_MAX_BYTES + b'"}')
    assert (answer.status_code, answer.get_json()["type"]) == (413, "/problems/body-too-large")


def test_a_large_body_in_chunks_is_refused_too(client: FlaskClient) -> None:
    body = io.BytesIO(b'{"firstName":"' + b"a" * BODY_MAX_BYTES + b'"}')
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = client.post(
        ACCOUNTS, input_stream=body, content_type="application/json", environ_overrides=chunked, content_length=None
    )
    assert (answer.status_code, answer.get_json()["type"]) == (413, "/problems/body-too-large")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"/api/v3/purchases/{UUID(int=1)}.{UUID(int=2)}/confirm"),
        ("POST", "/api/v3/purchases"),
        ("GET", "/api/v3/events"),
        ("GET", "/"),
        ("POST", "/sign-in"),
    ],
)
def test_a_large_body_that_was_never_read_is_refused_wherever_it_was_sent(
    world: World, client: FlaskClient, method: str, path: str
) -> None:
    answer = client.open(path, method=method, environ_overrides={"CONTENT_LENGTH": str(BODY_MAX_BYTES + 1)})
    assert answer.status_code == 413
    assert world.ledger.handed_in == []


def test_an_unknown_path_and_method_are_problems_too(client: FlaskClient) -> None:
    assert client.post("/nowhere", data=b"x").get_json()["type"] == "/problems/not-found"
    answer = client.delete(ACCOUNTS)
    assert (answer.status_code, answer.get_json()["type"]) == (405, "/problems/method-not-allowed")
    assert "POST" in answer.headers["Allow"]


def test_a_server_that_is_down_is_named_and_the_client_told_when_to_return(
    world: World, client: FlaskClient, account: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_: object) -> None:
        raise Unavailable("postgres")

    monkeypatch.setattr(world.accounts, "get", down)
    answer = client.get(f"{ACCOUNTS}/{account['id']}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.get_json()["server"] == "postgres"


def test_a_server_that_is_down_is_logged_once_however_many_ask(
    world: World,
    client: FlaskClient,
    account: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def all_busy(_: object) -> None:
        raise Unavailable("postgres") from TimeoutError("of somebody")

    monkeypatch.setattr(raw_response, "outages", RateLimitedLog(raw_response.log))
    monkeypatch.setattr(world.accounts, "get", all_busy)
    assert {client.get(f"{ACCOUNTS}/{account['id']}").status_code for _ in range(5)} == {503}
    assert caplog.messages == [f"GET {ACCOUNTS}/{account['id']}: postgres does not answer (TimeoutError)"]


def test_a_server_that_is_down_is_logged_for_those_who_wait_in_the_loop_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refused() -> raw_response.RawResponse:
        raise Unavailable("kafka") from TimeoutError("of somebody")

    monkeypatch.setattr(raw_response, "outages", RateLimitedLog(raw_response.log))
    assert {asyncio.run(raw_response.or_problem(refused(), "/purchases")).status for _ in range(5)} == {503}
    assert caplog.messages == ["/purchases: kafka does not answer (TimeoutError)"]


def test_an_unexpected_error_tells_nothing_of_itself(
    world: World, client: FlaskClient, account: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("SELECT secret FROM account")

    monkeypatch.setattr(world.accounts, "get", broken)
    answer = client.get(f"{ACCOUNTS}/{account['id']}")
    assert answer.status_code == 500
    assert answer.get_json() == {
        "type": "/problems/internal-error",
        "title": "Something went wrong on our side",
        "status": 500,
    }
