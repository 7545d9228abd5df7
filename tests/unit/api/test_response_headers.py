"""The headers of every answer: how it may be kept, framed and read, whichever route gives it and however it ends."""

import re
from base64 import b64encode
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from api import response_headers
from api.response_headers import CACHED, register_headers
from api.roles import Permission, Role
from api.web.permissions import PERMISSIONS
from api.web.security_headers import CACHED_AN_HOUR, DATA, NEVER_CACHED, PAGE, REVALIDATED
from tests.unit.api.fakes.ledger import confirmed
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import HTML
from tests.unit.api.pages.test_permissions import ROWS, mailed_links
from tests.unit.api.pages.test_permissions import asking as reading
from tests.unit.api.pages.test_permissions import things as pages_things
from tests.unit.api.purchasing.test_service import by_fast_path, told
from tests.unit.api.web.test_permissions import BASE, OPERATIONS, asking, filled, things

__all__ = ["pages_things", "things"]


def check(answer: Any, kept: tuple[str, ...] = (NEVER_CACHED,)) -> None:
    wanted = dict(PAGE if answer.mimetype == "text/html" else DATA)
    if answer.request.path.startswith("/links/"):
        wanted["Referrer-Policy"] = "no-referrer"
    for name, value in wanted.items():
        if name == "Cache-Control":
            assert answer.headers[name] in kept, answer.request.path
        elif name != "Content-Security-Policy":
            assert answer.headers[name] == value, (answer.request.path, name)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"] or answer.request.path.startswith("/docs/")


def address(rule: Rule) -> str:
    """An address that the rule fits, of something that is not there."""
    pieces = [f"{uuid4()}" if is_argument else part for is_argument, part in rule._trace]
    return "".join(pieces).partition("|")[2]


@pytest.mark.parametrize("role", [None, Role.ADMINISTRATOR])
def test_every_route_is_guarded_whatever_it_answers(world: World, role: Role | None) -> None:
    routes = world.app.url_map.bind("localhost")
    for rule in world.app.url_map.iter_rules():
        for method in rule.methods or ():
            client = world.client(uuid4(), role) if role else world.app.test_client()
            answer = client.open(address(rule), method=method, headers=HTML)
            endpoint, _ = routes.match(address(rule), method)
            check(answer, (NEVER_CACHED, CACHED.get(endpoint, NEVER_CACHED)))
            answer.close()


def test_what_an_owner_is_told_is_kept_nowhere(world: World, things: dict[str, str]) -> None:
    client = asking(world, "owner", things)
    for operation, (method, path, body, _) in sorted(OPERATIONS.items(), key=lambda row: row[1][0] != "GET"):
        answer = client.open(
            f"{BASE}{path.format(**things)}",
            method=method,
            json=filled(body, things),
            headers={"Idempotency-Key": operation},
        )
        public = (
            PERMISSIONS[operation] in (Permission.ANYONE, Permission.NOBODY)
            and method == "GET"
            and "health" not in path
        )
        check(answer, (REVALIDATED,) if public else (NEVER_CACHED,))


def test_every_page_is_kept_nowhere(world: World, pages_things: dict[str, str]) -> None:
    client = reading(world, "owner", pages_things).client
    for name, (method, path, form, _) in ROWS.items():
        if name != "asset":
            named = pages_things | mailed_links(world, path, form)
            data = form if method == "POST" else None
            check(client.open(path.format(**named), method=method, data=data, headers=HTML))


@pytest.mark.parametrize("path", ["/nowhere", f"{BASE}/nowhere", "/%00", f"{BASE}/events/x"])
def test_what_has_no_route_is_guarded_too(client: FlaskClient, path: str) -> None:
    for headers in (HTML, {"Accept": "application/json"}):
        check(client.get(path, headers=headers))
        check(client.post(path, headers=headers))


def test_the_fast_path_says_the_same_as_the_route(world: World, client: FlaskClient, ticket: dict[str, Any]) -> None:
    world.ledger.rule = confirmed
    order = {"eventId": ticket["eventId"], "lines": [{"ticketTypeId": ticket["id"], "quantity": 1}]}
    for body in (order, order | {"hold": True}):
        asked: dict[str, Any] = {"json": body, "headers": {"Idempotency-Key": "k"}}
        fast, routed = by_fast_path(world, client, **asked), client.post(f"{BASE}/purchases", **asked)
        check(routed)
        assert told(fast) == told(routed)


def test_the_page_of_the_documentation_runs_its_own_script_alone(client: FlaskClient) -> None:
    answer = client.get("/docs/swagger")
    policy = answer.headers["Content-Security-Policy"]
    [script] = re.findall(r"<script>(.*?)</script>", answer.get_data(as_text=True), re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert policy.startswith(f"script-src 'self' 'sha256-{digest}'; default-src 'none';")


def test_only_what_everybody_may_read_is_kept() -> None:
    for endpoint, kept in CACHED.items():
        name = endpoint.rpartition(".")[2]
        assert kept in (REVALIDATED, CACHED_AN_HOUR, NEVER_CACHED)
        assert PERMISSIONS.get(name, Permission.NOBODY) in (Permission.ANYONE, Permission.NOBODY), endpoint


def test_a_route_without_a_decision_is_not_served(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Flask("new", static_folder=None)
    app.add_url_rule("/new", "new", lambda: "")
    with pytest.raises(ValueError, match="the route new has no row"):
        register_headers(app)
    rows = {name: row for name, row in CACHED.items() if name != "problems"}
    monkeypatch.setattr(response_headers, "CACHED", rows)
    with pytest.raises(ValueError, match="the route problems has no row"):
        register_headers(world.app)
