"""What the settings put around the application: sites whose scripts may use it, and limits."""

from typing import Any

import pytest
from pydantic import SecretStr

from api.__main__ import CrossOrigin, limits_of
from api.auth.clients import client_of
from settings import Settings
from tests.unit.api.asgi import Answering, ask

SHOP = "https://shop.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}


def allowed(sent: list[dict[str, Any]]) -> str | None:
    headers: dict[bytes, bytes] = dict(sent[0]["headers"])
    found = headers.get(b"access-control-allow-origin")
    return None if found is None else found.decode()


def made(**values: Any) -> Settings:
    return Settings(ticket_key=SecretStr("k" * 32), **values)


def test_no_site_may_use_the_api_unless_a_setting_names_it() -> None:
    assert made().allowed_origins == []
    assert allowed(ask(Answering(), headers={"Origin": SHOP})) is None


def test_scripts_of_a_site_that_a_setting_names_may_use_the_api() -> None:
    application = CrossOrigin(Answering(), made(cors_origins=f"{SHOP}/, http://localhost:3000").allowed_origins)
    for origin in (SHOP, "http://localhost:3000"):
        assert allowed(ask(application, headers={"Origin": origin})) == origin
        asked = ask(application, "OPTIONS", headers=PREFLIGHT | {"Origin": origin})
        assert (asked[0]["status"], allowed(asked)) == (200, origin)
        assert b"access-control-allow-credentials" not in dict(asked[0]["headers"])
    for origin in ("https://elsewhere.example", "http://shop.example", "null"):
        assert allowed(ask(application, headers={"Origin": origin})) is None
        asked = ask(application, "OPTIONS", headers=PREFLIGHT | {"Origin": origin})
        assert (asked[0]["status"], allowed(asked)) == (400, None)


def test_with_such_sites_every_answer_goes_where_it_gets_their_headers() -> None:
    assert CrossOrigin(Answering(), [SHOP]).take(b"POST", b"/", {}, b"", {}) is None


def test_a_purchase_may_be_sent_and_its_headers_read_by_such_a_script() -> None:
    application = CrossOrigin(Answering(), [SHOP])
    headers = dict(ask(application, headers={"Origin": SHOP})[0]["headers"])
    assert {b"Location", b"Retry-After"} <= set(headers[b"access-control-expose-headers"].split(b", "))
    asked = PREFLIGHT | {"Origin": SHOP, "Access-Control-Request-Headers": "content-type,if-match,prefer,x-other"}
    assert ask(application, "OPTIONS", headers=asked)[0]["status"] == 400


def test_behind_proxies_connections_of_one_client_are_not_counted() -> None:
    both = {"api_connections": 50, "api_connections_per_client": 5}
    assert limits_of(made(**both)).connections_per_client == 5
    assert limits_of(made(**both, trusted_proxies=1)).connections_per_client == 50


@pytest.mark.parametrize(("address", "client"), [("::1", "::"), ("2001:db8::1:2:3:4", "2001:db8::"), ("10.0.0.1",) * 2])
def test_a_client_is_an_address_or_a_network(address: str, client: str) -> None:
    assert client_of(address) == client
