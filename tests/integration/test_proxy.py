"""The proxy in front of servers that note what they get: what is let through, and what is not."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import httpx
import pytest

from lab.free_ports import free
from stack.member import HOST
from tests.eventually import eventually
from tests.proxy import WITHIN_S, Proxy, running

BODY_MAX_BYTES: Final = 65_536
MANY_WITHIN_S: Final = 30.0
POST: Final = b"POST /hostile HTTP/1.1\r\nHost: box.example\r\n"
CHUNKED: Final = POST + b"Transfer-Encoding: chunked\r\n\r\n"


class Quiet(ThreadingHTTPServer):
    """A server that says nothing of clients that go."""

    def handle_error(self, *_: object) -> None: ...


@dataclass
class Instance:
    """An instance of the API: what it was asked, and its server."""

    port: int
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                if self.path != "/health/live":
                    body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                    asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = answer  # noqa: N815

            def log_message(self, *_: object) -> None: ...

        self._server = Quiet((HOST, self.port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def instances() -> Iterator[list[Instance]]:
    found = [Instance(port) for port in free(2)]
    yield found
    for each in found:
        each.stop()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, instances: list[Instance]) -> Iterator[Proxy]:
    with running(tmp_path_factory.mktemp("proxy"), [each.port for each in instances]) as proxy:
        yield proxy


def asked(instances: list[Instance], path: str) -> list[tuple[dict[str, str], bytes]]:
    """The fields and bodies of all requests for a path."""
    return [(fields, body) for each in instances for asked, fields, body in each.asked if asked == path]


def test_a_request_comes_whole_and_with_its_client_whatever_it_says_of_itself(
    proxy: Proxy, instances: list[Instance]
) -> None:
    claimed = {"X-Forwarded-For": "9.9.9.9", "X_Forwarded_For": "8.8.8.8", "X-Forwarded-Host": "evil.example"}
    claimed |= {"Forwarded": "for=7.7.7.7", "X-Forwarded-Proto": "http", "Host": "box.example"}
    body = b"a" * BODY_MAX_BYTES
    with proxy.client() as client:
        answer = client.post("/whole", content=body, headers=claimed)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    [(fields, came)] = asked(instances, "/whole")
    assert came == body
    told = {name: value for name, value in fields.items() if "forwarded" in name}
    assert told == {"x-forwarded-for": HOST, "x-forwarded-proto": "https"}
    assert fields["host"] == "box.example"


# The end of what a client sends.
END: Final = b""
# What a client sends, piece by piece, and the status of the first answer, which may depend on HAProxy's version.
HOSTILE: Final[dict[str, tuple[Any, ...]]] = {
    "a length of 100 GB, and nothing of it": ((POST + b"Content-Length: 100000000000\r\n\r\n",), b"413"),
    "a length of 100 GB": ((POST + b"Content-Length: 100000000000\r\n\r\n", *[b"a" * 65_536] * 20), b"413"),
    "chunks without an end": ((CHUNKED, *[b"10000\r\n" + b"a" * 65_536 + b"\r\n"] * 20), b"413"),
    "chunks of a byte": ((CHUNKED, *[b"1\r\na\r\n"] * 5_000), b"408"),
    "a body that stalls": ((POST + b"Content-Length: 7\r\n\r\nabc",), b"408"),
    "a chunk that stalls": ((CHUNKED + b"5\r\nab",), b"408"),
    "a body that was announced and never comes": (
        (POST + b"Expect: 100-continue\r\nContent-Length: 7\r\n\r\n",),
        b"100",
    ),
    "a body that ends too early": ((POST + b"Content-Length: 10\r\n\r\nabc", END), b""),
    "chunks that end too early": ((CHUNKED + b"3\r\nabc\r\n", END), b""),
    "a head that stalls": ((POST + b"X: a",), b"408"),
    "750 KB of head": ((POST, *[b"X: " + b"a" * 7_500 + b"\r\n"] * 100), b"400", b"414"),
    "a long head": ((POST + b"X: " + b"a" * 7_800 + b"\r\n\r\n",), b"431"),
    "a long target": ((b"GET /hostile?" + b"a" * 7_800 + b" HTTP/1.1\r\nHost: box.example\r\n\r\n",), b"431"),
    "many fields": ((POST + b"X: a\r\n" * 64 + b"\r\n",), b"400"),
    "a bad chunk": ((CHUNKED + b"zz\r\n",), b"400"),
    "two lengths": ((POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",), b"400"),
    "two hosts": ((POST + b"Host: other.example\r\nContent-Length: 0\r\n\r\n",), b"400"),
    "TRACE": ((b"TRACE /hostile HTTP/1.1\r\nHost: box.example\r\n\r\n",), b"405"),
    "no HTTP": ((b"nonsense\r\n\r\n",), b"400"),
}


def attack(proxy: Proxy, pieces: tuple[bytes, ...]) -> bytes:
    """The status that the proxy answers with; nothing where it closes the connection."""
    with proxy.connect() as client:
        with suppress(OSError):
            for piece in pieces:
                client.sendall(piece) if piece else socket.socket.shutdown(client, socket.SHUT_WR)
        return client.recv(100)[len("HTTP/1.1 ") :][:3]


def test_what_is_too_large_too_slow_or_no_request_is_answered_by_the_proxy_and_reaches_no_instance(
    proxy: Proxy, instances: list[Instance]
) -> None:
    with ThreadPoolExecutor(len(HOSTILE)) as pool:
        answers = dict(zip(HOSTILE, pool.map(lambda each: attack(proxy, each[0]), HOSTILE.values()), strict=True))
    assert {name: answer for name, answer in answers.items() if answer not in HOSTILE[name][1:]} == {}
    assert asked(instances, "/hostile") == []


def test_one_client_has_so_many_connections_and_no_more(proxy: Proxy) -> None:
    # The proxy gives a connection without a handshake a second: on a busy machine 256 take more than one try.
    eventually(lambda: has_no_room_beside(proxy, 256), within=MANY_WITHIN_S)
    eventually(proxy.is_ready, within=MANY_WITHIN_S)


def has_no_room_beside(proxy: Proxy, connections: int) -> bool:
    """Whether a client is sent away while so many connections of its address are open."""
    with ExitStack() as clients:
        for _ in range(connections):
            clients.enter_context(socket.create_connection((HOST, proxy.port), timeout=WITHIN_S))
        return not proxy.is_ready()


def test_who_comes_without_tls_is_sent_to_it_and_a_certificate_authority_gets_its_answer(proxy: Proxy) -> None:
    with httpx.Client(base_url=f"http://{HOST}:{proxy.plain}", trust_env=False) as client:
        sent = client.post("/sign-in?next=/", headers={"Host": "box.example"})
        assert (sent.status_code, sent.headers["Location"]) == (308, "https://box.example/sign-in?next=/")
        assert client.get("/.well-known/acme-challenge/to_ken-1").text == "to_ken-1.print"


def test_an_instance_may_go_and_come_back_and_nobody_meets_an_error(proxy: Proxy, instances: list[Instance]) -> None:
    for number, instance in enumerate(instances):
        instance.stop()
        assert {ask(proxy) for _ in range(20)} == {httpx.codes.OK}
        instances[number] = back = Instance(instance.port)
        eventually(lambda back=back: ask(proxy) and back.asked, within=WITHIN_S)  # type: ignore[misc]


def ask(proxy: Proxy) -> int:
    """The status of an answer to somebody who comes for the first time."""
    with proxy.client() as client:
        return client.get("/rolling").status_code
