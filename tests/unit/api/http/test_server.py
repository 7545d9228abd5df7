"""The HTTP server answers in turn, and stops without losing anybody."""

import asyncio
import http.client
import logging
import socket
import time
from collections.abc import Iterator

import pytest

from api.http.limits import ConnectionLimits
from api.http.server import HttpServer
from api.http_application import PURCHASES_ROUTE
from api.web.raw_response import RawResponse
from tests.eventually import eventually
from tests.unit.api.asgi import Answering
from tests.unit.api.http.running import HEAD, HOST, STOPS_SOON, Running, running

ASKED = b"POST /echo HTTP/1.1\r\n" + HEAD + b"Content-Length: %d\r\n\r\n"
CHUNKED = b"POST /echo HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n"
LAST = b"GET / HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as server:
        yield server


@pytest.fixture
def own() -> Iterator[Running]:
    """A server that a test may stop: in its own time."""
    with running(ConnectionLimits()) as server:
        yield server


@pytest.fixture
def patient() -> Iterator[Running]:
    """A server that waits a minute for its last connections."""
    with running(ConnectionLimits(grace_s=60)) as server:
        yield server


def test_answers_come_whole_in_pieces_and_empty(server: Running) -> None:
    assert server.get() == (200, b"done")
    assert server.get("/pieces") == (200, b"one two")
    assert server.get("/nothing") == (204, b"")
    assert server.get("/long") == (200, 20_000_000 * b"l")


def test_an_answer_that_breaks_off_is_seen_to_be_cut_and_logged(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(http.client.IncompleteRead) as cut:
        server.get("/broken")
    assert cut.value.partial == 300_000 * b"1"
    assert server.get() == (200, b"done")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_bodies_come_with_a_length_or_in_chunks(server: Running) -> None:
    client = server.client()
    for body in (b"", b"a", 65_536 * b"b", iter([b"c", b"d"]), b"e"):
        client.request("POST", "/echo", body)
        sent = body if isinstance(body, bytes) else b"cd"
        assert client.getresponse().read() == sent
    client.close()


def test_requests_sent_at_once_are_answered_in_turn(server: Running) -> None:
    quick = b"POST /quick/0/0.1 HTTP/1.1\r\n" + HEAD + b"Content-Length: 1\r\n\r\n%d"
    came = server.said_to(ASKED % 1 + b"a" + quick % 1 + ASKED % 2 + b"bc" + LAST)
    assert [part.partition(b"HTTP")[0] for part in came.split(b"\r\n\r\n")[1:]] == [b"a", b"1", b"bc", b"done"]


def test_what_can_not_be_read_is_refused_after_the_answers_to_what_came_before(server: Running) -> None:
    came = server.said_to(b"GET /quick/1/0.1 HTTP/1.1\r\n" + HEAD + b"\r\n" + ASKED % 1 + b"a" + b"no request\r\n\r\n")
    assert [part[:3] for part in came.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"400"]


def test_who_asks_first_whether_to_send_is_told(server: Running) -> None:
    asked = b"POST /echo HTTP/1.1\r\n" + HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    with server.connect() as client:
        client.sendall(asked % 1)
        assert client.recv(1_000) == GO_ON
        client.sendall(b"a" + asked % 65_537)
        came = client.makefile("rb").read()
    assert [part[1:4] for part in came.split(b"HTTP/1.1")[1:]] == [b"200", b"413"]


@pytest.mark.parametrize(
    ("version", "more"),
    [(b"1.0", b"Expect: 100-continue\r\nConnection: keep-alive\r\n"), (b"1.1", b"")],
    ids=["HTTP/1.0", "who did not ask"],
)
def test_nobody_else_is_told_to_go_on(server: Running, version: bytes, more: bytes) -> None:
    """Not by HTTP/1.0 (RFC 9110, section 10.1.1), nor because an earlier request of the connection asked."""
    asked = b"POST /quick/0/0 HTTP/1.1\r\n" + HEAD + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    with server.connect() as client:
        client.sendall(asked)
        assert client.recv(1_000) == GO_ON
        client.sendall(b"a")
        assert client.recv(1_000).startswith(b"HTTP/1.1 200 ")
        client.sendall(b"GET /quick/1/0 HTTP/" + version + b"\r\n" + HEAD + more + b"\r\n")
        assert client.recv(1_000).startswith(b"HTTP/1.1 200 ")


def test_who_asks_whether_to_send_behind_another_request_is_not_told_before_that_answer(server: Running) -> None:
    asked = (
        b"POST /echo HTTP/1.1\r\n" + HEAD + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    )
    with server.connect() as client:
        client.sendall(b"GET /quick/1/0.1 HTTP/1.1\r\n" + HEAD + b"\r\n" + asked)
        assert client.recv(1_000).startswith(b"HTTP/1.1 200 ")
        client.sendall(b"b")
        assert client.makefile("rb").read().endswith(b"\r\n\r\nb")


@pytest.mark.parametrize("path", [b"/quick/1/0.3", b"/slow"])
def test_who_has_sent_all_and_closed_that_half_gets_the_answer(server: Running, path: bytes) -> None:
    came = server.said_to(b"GET %b HTTP/1.1\r\n" % path + HEAD + b"\r\n", ends=True)
    assert came.startswith(b"HTTP/1.1 200 ")


def test_a_list_that_has_close_in_it_closes(server: Running) -> None:
    came = server.said_to(b"GET / HTTP/1.1\r\n" + HEAD + b"Connection: TE, close\r\n\r\n")
    assert b"connection: close" in came


def test_a_wish_for_another_protocol_is_ignored(server: Running) -> None:
    came = server.said_to(b"GET / HTTP/1.1\r\n" + HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert came.startswith(b"HTTP/1.1 200 ")


def test_what_follows_a_body_is_no_header_of_the_request(server: Running) -> None:
    sent = b"POST /fields HTTP/1.1\r\n" + HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    came = server.said_to(sent + b"0\r\nX-Own: b\r\nX_Forwarded_For: a\r\n\r\n")
    assert b"\r\nHTTP_CONNECTION HTTP_HOST\r\n" in came


def test_an_answer_of_the_fast_path_that_fails_is_logged_and_the_last(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    came = server.said_to(b"GET /quick/x/0 HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert came.startswith(b"HTTP/1.1 500 ")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert server.counters.counts["POST", PURCHASES_ROUTE, "500"] == 1


def test_small_answers_are_sent_at_once(server: Running) -> None:
    with server.connect():
        eventually(lambda: server.server.server_state.connections, within=5)
        for connection in list(server.server.server_state.connections):
            client = connection.transport.get_extra_info("socket")
            assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_a_header_with_an_underscore_passes_for_no_other(server: Running) -> None:
    sent = b"GET /fields HTTP/1.0\r\n" + HEAD + b"X_Forwarded_For: a\r\nX-Own: b\r\n\r\n"
    assert b"\r\nHTTP_HOST HTTP_X_OWN\r\n" in server.said_to(sent)


def test_many_wait_in_the_loop_at_once_while_others_are_served(server: Running) -> None:
    waiting = [server.client() for _ in range(200)]
    for number, client in enumerate(waiting):
        client.request("POST", "/quick/0/0.5", b"%d" % number)
    eventually(lambda: server.counters.in_flight >= 150, within=5)
    assert server.get() == (200, b"done")
    assert [client.getresponse().read() for client in waiting] == [b"%d" % number for number in range(len(waiting))]
    for client in waiting:
        client.request("GET", "/")
        assert client.getresponse().read() == b"done"
        client.close()


def test_more_than_there_are_threads_are_answered_in_the_end(server: Running) -> None:
    crowd = [server.client() for _ in range(100)]
    for client in crowd:
        client.request("GET", "/slow")
    assert {client.getresponse().read() for client in crowd} == {b"done"}
    for client in crowd:
        client.close()


@pytest.mark.parametrize("path", [b"/quick/1/0.2", b"/slow"])
def test_who_leaves_before_the_answer_is_counted_as_that_and_holds_up_nobody(own: Running, path: bytes) -> None:
    for _ in range(10):
        with own.connect() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            before = len(own.application.carried_out)
            client.sendall(b"GET %b HTTP/1.1\r\n" % path + HEAD + b"\r\n")
            eventually(lambda: len(own.application.carried_out) > before, within=5, pause=0.001)  # noqa: B023 (asked now)
    eventually(lambda: own.counters.in_flight == 0, within=5)
    assert sum(count for key, count in own.counters.counts.items() if key[-1] == "aborted") == 10
    assert own.get() == (200, b"done")


def test_a_refusal_follows_the_last_answer_of_a_stop_too(own: Running) -> None:
    with own.connect() as client:
        client.sendall(b"GET /quick/1/0.5 HTTP/1.1\r\n" + HEAD + b"\r\n" + b"no request\r\n\r\n")
        eventually(lambda: own.application.carried_out, within=5)
        own.tell_to_stop()
        came = client.makefile("rb").read()
    assert [part[:3] for part in came.split(b"HTTP/1.1 ")[1:]] == [b"200", b"400"]


def test_a_stop_answers_what_is_under_way_and_is_held_up_by_no_idle_connection(patient: Running) -> None:
    own = patient
    idle, busy, later = (own.client() for _ in range(3))
    for client in (idle, later):
        client.request("GET", "/")
        assert client.getresponse().read() == b"done"
    busy.request("GET", "/slow")
    eventually(lambda: own.counters.in_flight, within=5)

    own.tell_to_stop()

    def is_last() -> bool:
        later.request("GET", "/")
        answer = later.getresponse()
        assert (answer.status, answer.read()) == (200, b"done")
        return answer.headers["Connection"] == "close"

    eventually(is_last, within=10)
    answer = busy.getresponse()
    assert (answer.status, answer.read(), answer.headers["Connection"]) == (200, b"done", "close")
    assert idle.sock is not None
    assert idle.sock.recv(1) == b""
    assert own.has_stopped(5)


def test_a_request_whose_body_still_comes_when_the_server_stops_is_answered(own: Running) -> None:
    with own.connect() as client:
        client.sendall(ASKED % 2 + b"a")
        eventually(lambda: own.server.server_state.connections, within=5)
        own.tell_to_stop()
        eventually(lambda: own.server._listener.fileno() < 0, within=5)
        client.sendall(b"b")
        assert client.makefile("rb").read().endswith(b"\r\n\r\nab")


def test_who_knocks_while_the_server_stops_is_let_in(own: Running) -> None:
    own.tell_to_stop()
    clients = []
    while not own.has_stopped(0.01):
        client = own.client()
        try:
            client.request("GET", "/")
            assert client.getresponse().read() == b"done"
        except ConnectionRefusedError:
            break
        clients.append(client)
    assert len(clients) > 10


def test_news_come_as_they_are_made_and_end_when_the_server_stops(own: Running) -> None:
    listeners = [own.client() for _ in range(100)]
    answers = []
    for listener in listeners:
        listener.request("GET", "/news")
        answers.append(listener.getresponse())
    assert [answer.read(9) for answer in answers] == [b"data: x\n\n"] * len(answers)
    assert own.get() == (200, b"done")
    own.tell_to_stop()
    for answer in answers:
        answer.read()  # to its end, which is whole
    assert own.has_stopped(5)


def test_one_client_too_many_is_told_so_at_once() -> None:
    with running(STOPS_SOON._replace(connections=2)) as server:
        first, second = (server.client() for _ in range(2))
        for client in (first, second):
            client.request("GET", "/")
            assert client.getresponse().read() == b"done"
        came = server.said_to(b"")
        assert came.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 1" in came
        first.close()
        eventually(lambda: server.get() == (200, b"done"), within=5)
        second.close()


def test_connections_of_one_client_are_bounded() -> None:
    with running(STOPS_SOON._replace(connections_per_client=2)) as server:
        clients = [server.client() for _ in range(2)]
        for client in clients:
            client.request("GET", "/")
            assert client.getresponse().read() == b"done"
        assert server.said_to(b"").startswith(b"HTTP/1.1 503 ")
        for client in clients:
            client.close()
        eventually(lambda: server.get() == (200, b"done"), within=5)
        eventually(lambda: server.server.server_state.clients == {}, within=5)


def test_a_server_that_has_no_files_left_goes_on_when_it_has_some(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Listener:
        def __init__(self, inner: socket.socket) -> None:
            self.inner = inner

        def fileno(self) -> int:
            return self.inner.fileno()

        def accept(self) -> object:
            raise OSError(24, "Too many open files")

    listener = server.server._listener
    monkeypatch.setattr(server.server, "_listener", Listener(listener))
    with server.connect() as client:
        client.sendall(LAST)
        time.sleep(0.1)
        monkeypatch.setattr(server.server, "_listener", listener)
        assert client.makefile("rb").read().endswith(b"done")


def test_a_client_accepted_at_the_very_end_is_answered() -> None:
    class Slow(Answering):
        async def answer(self) -> RawResponse:
            await asyncio.sleep(0.1)
            return await super().answer()

    async def answer() -> bytes:
        with socket.create_server((HOST, 0)) as listener:
            server = HttpServer(Slow(), listener, ConnectionLimits())
            server.config.load()
            await server.startup()  # who comes now stays in the backlog until the shutdown looks there
            with socket.create_connection(listener.getsockname()) as client:
                client.sendall(LAST)
                await server.shutdown()
                client.settimeout(5)
                return client.makefile("rb").read()

    assert b"done" in asyncio.run(answer())


def test_a_crowd_that_knocks_is_let_in_in_one_turn_of_the_loop() -> None:
    async def let_in() -> int:
        listener = socket.create_server((HOST, 0), backlog=100)
        server = HttpServer(Answering(), listener, ConnectionLimits())
        await server.startup()
        clients = [socket.create_connection(listener.getsockname()) for _ in range(50)]
        server._accept()
        found = len(server.server_state.tasks)
        await asyncio.wait(server.server_state.tasks)
        await server.shutdown()
        for client in clients:
            client.close()
        return found

    assert asyncio.run(let_in()) == 50
