"""Requests that hash a password have threads of their own, in which as many may wait as the queue takes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import request

from api.auth.passwords import Passwords
from api.http_application import HttpApplication, hashes_password
from api.purchasing.service import PurchaseFastPath
from api.telemetry.request_metrics import RequestCounters
from api.web.wsgi_threads import WsgiThreads
from tests.unit.api.asgi import ask
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.test_permissions import ROWS, mailed_links
from tests.unit.api.pages.test_permissions import asking as reading
from tests.unit.api.pages.test_permissions import things as pages_things
from tests.unit.api.web.test_permissions import BASE, OPERATIONS, asking, filled, things

__all__ = ["pages_things", "things"]


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Method and path of each request that takes a turn."""
    taken: list[tuple[str, str]] = []
    turn = Passwords.turn

    @contextmanager
    def noted(self: Passwords, client: str, address: str) -> Iterator[Any]:
        taken.append((request.method, request.path))
        with turn(self, client, address) as hasher:
            yield hasher

    monkeypatch.setattr(Passwords, "turn", noted)
    return taken


def test_every_operation_that_hashes_a_password_is_known(
    world: World, things: dict[str, str], hashing: list[tuple[str, str]]
) -> None:
    for method, path, body, _ in OPERATIONS.values():
        world.revocations.versions.clear()
        asking(world, "owner", things).open(
            f"{BASE}{path.format(**things)}", method=method, json=filled(body, things), headers={"If-Match": "*"}
        )
    assert len({path for _, path in hashing}) >= 4
    assert all(hashes_password({"method": method, "path": path}) for method, path in hashing)


def test_every_page_that_hashes_a_password_is_known(
    world: World, pages_things: dict[str, str], hashing: list[tuple[str, str]]
) -> None:
    for method, path, form, _ in ROWS.values():
        reader = reading(world, "nobody", pages_things)
        named = pages_things | mailed_links(world, path, form)
        sent = {name.format(**named): str(value).format(**named) for name, value in form.items()}
        data = reader.hidden("/sign-in") | sent if method == "POST" else None
        reader.client.open(path.format(**named), method=method, data=data)
    assert {path for _, path in hashing} >= {"/sign-in", "/sign-up", "/links/confirm", "/links/reset"}
    assert all(hashes_password({"method": method, "path": path}) for method, path in hashing)


def test_others_are_answered_while_sign_ins_wait_for_their_turn(world: World) -> None:
    came, go_on = threading.Event(), threading.Event()

    def signs_in(environ: Any, start_response: Any) -> list[bytes]:
        came.set()
        go_on.wait(10)
        start_response("201 Created", [])
        return [b""]

    def answers(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b""]

    application = HttpApplication(
        PurchaseFastPath(world.app.extensions["turnstile"]),
        WsgiThreads(answers, threads_max=1),
        RequestCounters(),
        WsgiThreads(signs_in, threads_max=1),
    )
    answered: list[Any] = []
    waiting = threading.Thread(target=lambda: answered.append(ask(application, "POST", "/sign-in")))
    waiting.start()
    assert came.wait(10)
    assert ask(application, "GET", "/sign-in")[0]["status"] == 200
    go_on.set()
    waiting.join(10)
    assert answered[0][0]["status"] == 201
