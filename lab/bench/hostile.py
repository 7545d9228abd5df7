"""What honest clients notice while 64 hostile ones do their worst: purchases in the event loop, and Flask's answers.

Each hostile client repeats one of ATTACKS on connections of its own, as fast as the server lets it, from a process of
its own. The honest one calls at most CALLS_PER_S times a second, one call after the other.
"""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final
from uuid import uuid4

import httpx
import rich_click as click

from api.auth.tokens import Tokens
from api.roles import Role
from lab.bench.latency import percentile
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import Show
from lab.bench.rest_site import TOKEN_S, Site, site
from stack.member import HOST

CLIENTS: Final = 64
CALLS_PER_S: Final = 20
ATTACK_S: Final = 10
WARM_UP_CALLS: Final = 40
STOCK: Final = 1_000_000
CALL_TIMEOUT_S: Final = 10.0
SILENCE_S: Final = 1.0
CLOSED_PAUSE_S: Final = 0.01
_HOST: Final = b"Host: box.example\r\n"
_POST: Final = b"POST /api/v3/purchases HTTP/1.1\r\n" + _HOST
# How each attack begins, and what is sent again and again until the server closes the connection.
ATTACKS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (_POST + b"Content-Length: 100000000000\r\n\r\n", 65_536 * b"x"),
    (_POST + b"Transfer-Encoding: chunked\r\n\r\n", 10_000 * b"1\r\nx\r\n"),
    (_POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", 1_000 * b"X: a\r\n"),
    (b"GET / HTTP/1.1\r\n" + _HOST, 1_000 * b"X: a\r\n"),
    (b"GET /", 65_536 * b"x"),
    (b"", 65_536 * b"\xff"),
    (_POST + b"Content-Length: 7\r\n\r\nhalf", b""),
)

Call = Callable[[], httpx.Response]


def besieged(lab: Lab) -> Figures:
    """Purchases, then loads of an event's page, one after the other."""
    with site(lab) as running, _client(running.stack.settings.api_port) as http:
        [show] = running.put_on_sale(1, STOCK)
        calls: dict[str, Call] = {"rest": _purchases(http, running, show), "pages": partial(_page, http, show)}
        figures = {}
        for name, call in calls.items():
            with lab.step(f"{name} beside {CLIENTS} hostile clients"):
                latencies_s(call, WARM_UP_CALLS)
                with _attack(running.stack.settings.api_port):
                    seconds = latencies_s(call, lab.count(ATTACK_S * CALLS_PER_S))
            figures[f"{name}.besieged_p50_ms"] = 1000 * percentile(seconds, 50)
            figures[f"{name}.besieged_p99_ms"] = 1000 * percentile(seconds, 99)
        return figures


def _client(port: int) -> httpx.Client:
    return httpx.Client(base_url=f"http://{HOST}:{port}", timeout=CALL_TIMEOUT_S, trust_env=False)


def _page(http: httpx.Client, show: Show) -> httpx.Response:
    return http.get(f"/events/{show.event}", headers={"Accept": "text/html"})


def _purchases(http: httpx.Client, running: Site, show: Show) -> Call:
    account = uuid4()
    token, *_ = Tokens(running.settings.signing_keys(), TOKEN_S).issue(account, frozenset({Role.BUYER}))
    lines = [{"ticketTypeId": str(show.types[0]), "quantity": 1}]
    body = {"eventId": str(show.event), "accountId": str(account), "lines": lines}
    sign_in = {"Authorization": f"Bearer {token}"}
    return lambda: http.post("/api/v3/purchases", json=body, headers=sign_in | {"Idempotency-Key": str(uuid4())})


def latencies_s(call: Call, count: int) -> list[float]:
    """How long each call took. Raises httpx.HTTPStatusError where one failed."""
    began = time.perf_counter()
    seconds = []
    for number in range(count):
        time.sleep(max(0.0, began + number / CALLS_PER_S - time.perf_counter()))
        called = time.perf_counter()
        call().raise_for_status()
        seconds.append(time.perf_counter() - called)
    return seconds


@contextmanager
def _attack(port: int) -> Iterator[None]:
    """The hostile clients, in a process of their own, until the end of the block."""
    attackers = subprocess.Popen((sys.executable, "-m", "lab.bench", "attack", str(port)))
    try:
        time.sleep(SILENCE_S)
        yield
    finally:
        attackers.kill()
        attackers.wait()


@click.command(name="attack", hidden=True)
@click.argument("port", type=int)
def command(port: int) -> None:
    """Attack the server at this port of the own machine until killed."""
    for number in range(CLIENTS):
        threading.Thread(target=_repeat, args=(port, *ATTACKS[number % len(ATTACKS)])).start()


def _repeat(port: int, first: bytes, again: bytes) -> None:
    while True:
        with suppress(OSError):
            attack(port, first, again)
        time.sleep(CLOSED_PAUSE_S)


def attack(port: int, first: bytes, again: bytes) -> None:
    """Send ``first``, then ``again`` and again until the server closes the connection. Raises OSError.

    Answers are read only after the last byte: a client that reads none is hostile, too.
    """
    with socket.create_connection((HOST, port), timeout=SILENCE_S) as connection:
        connection.sendall(first)
        while again:
            connection.sendall(again)
        while connection.recv(65_536):
            pass


MEASUREMENTS: Final = (
    Measurement("rest.besieged", f"purchases and an event's page beside {CLIENTS} hostile clients", besieged),
)
