"""Clients that do their worst: each is refused or left within its time, and others are served meanwhile."""

import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from api.http.connection import HttpConnection
from api.http.limits import (
    BODY_MAX_CHUNKS,
    HEAD_MAX_BYTES,
    HEAD_MAX_FIELDS,
    LINGER_MAX_BYTES,
    LINGER_PAUSE_S,
    PIPELINE_MAX_REQUESTS,
)
from api.web.body_sizes import BODY_MAX_BYTES, EVENT_FORM_MAX_BYTES, LARGE_BODIES_MAX, SEATING_MAX_BYTES
from tests.eventually import eventually
from tests.unit.api.http.running import HEAD, STOPS_SOON, Running, running

ASKED = b"POST /echo HTTP/1.1\r\n" + HEAD + b"Content-Length: %d\r\n\r\n"
PLAN = ASKED.replace(b"/echo", b"/api/v3/events/1/seating")
CHUNKED = b"POST /echo HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n"
GET = b"GET / HTTP/1.1\r\n"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
SHORT = STOPS_SOON._replace(head_s=0.3, body_s=0.3, idle_s=0.3, unread_s=0.3, answer_s=1.5, linger_s=0.3)
CUT_OFF_WITHIN_S = 10

INCOMPLETE = {
    "a body": ASKED % 11 + b"half",
    "a body that lacks its last byte": ASKED % 5 + b"half",
    "no body": ASKED % 1,
    "a quick request": b"POST /quick/0/0 HTTP/1.1\r\n" + HEAD + b"Content-Length: 5\r\n\r\nhalf",
    "a body that was to be waited for": ASKED.replace(b"Host", b"Expect: 100-continue\r\nHost") % 5 + b"half",
    "a chunk": CHUNKED + b"\r\n5\r\nhalf",
    "chunks without the last": CHUNKED + b"\r\n4\r\nhalf\r\n",
    "a last chunk without its end": CHUNKED + b"\r\n4\r\nhalf\r\n0\r\n",
    "a trailer": CHUNKED + b"\r\n4\r\nhalf\r\n0\r\nX: a",
    "a head": GET + HEAD,
    "a request line": b"GET / HT",
}
MALFORMED = {
    "no chunk size": CHUNKED + b"\r\nx\r\nhalf\r\n0\r\n\r\n",
    "a negative chunk size": CHUNKED + b"\r\n-4\r\nhalf\r\n0\r\n\r\n",
    "a chunk that is longer than was said": CHUNKED + b"\r\n3\r\nhalf\r\n0\r\n\r\n",
    "a bad chunk extension": CHUNKED + b"\r\n4;\x01\r\nhalf\r\n0\r\n\r\n",
    "a bad trailer": CHUNKED + b"\r\n4\r\nhalf\r\n0\r\nno trailer\r\n\r\n",
    "a length and chunks": ASKED[:-4] + b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": ASKED[:-4] % 1 + b"\r\nContent-Length: 2\r\n\r\nab",
    "a negative length": ASKED.replace(b"%d", b"-1") + b"a",
    "a length that is no number": ASKED.replace(b"%d", b"0x1") + b"a",
    "a coding that is not ours": CHUNKED.replace(b"chunked", b"gzip") + b"\r\n",
    "chunked, but not last": CHUNKED.replace(b"chunked", b"chunked, gzip") + b"\r\n",
    "no method": b" / HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a method that is none": b"G\xc3T / HTTP/1.1\r\n" + HEAD + b"\r\n",
    "no version": b"GET /\r\n\r\n",
    "another version": b"GET / HTTP/3.7\r\n" + HEAD + b"\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    "a tunnel": b"CONNECT a:80 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a space before the colon": GET + HEAD + b"X : a\r\n\r\n",
    "a folded line": GET + HEAD + b"X: a\r\n b\r\n\r\n",
    "no colon": GET + HEAD + b"X\r\n\r\n",
    "no name": GET + HEAD + b": a\r\n\r\n",
    "NUL": GET + HEAD + b"X: a\0b\r\n\r\n",
    "a bare line feed in a value": GET + HEAD + b"X: a\rb\r\n\r\n",
    "an address that is none": b"GET http://[ HTTP/1.1\r\n" + HEAD + b"\r\n",
    "an address in another alphabet": "GET /ä HTTP/1.1\r\n".encode() + HEAD + b"\r\n",
    "no host": GET + b"\r\n",
    "two hosts": GET + HEAD + HEAD + b"\r\n",
    "an empty host": GET + b"Host:\r\n\r\n",
    "a host with a path": GET + b"Host: a/b\r\n\r\n",
    "a host with a user": GET + b"Host: a@b\r\n\r\n",
    "a list of hosts": GET + b"Host: a b\r\n\r\n",
    "a host with a port that is none": GET + b"Host: a:http\r\n\r\n",
    "a host that is half an address": GET + b"Host: [::1\r\n\r\n",
}
TOO_LARGE = {
    "a value": GET + HEAD + b"X: " + HEAD_MAX_BYTES * b"x" + b"\r\n\r\n",
    "an address": b"GET /" + HEAD_MAX_BYTES * b"x" + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "fields": GET + HEAD + HEAD_MAX_FIELDS * b"X: a\r\n" + b"\r\n",
    "a head without an end": GET + HEAD + b"X: " + HEAD_MAX_BYTES * b"x",
    "a name without an end": GET + HEAD + HEAD_MAX_BYTES * b"X",
    "an address without an end": b"GET /" + HEAD_MAX_BYTES * b"x",
    "a head behind a request": GET + HEAD + b"\r\n" + GET + HEAD + b"X: " + HEAD_MAX_BYTES * b"x" + b"\r\n\r\n",
}
# What never ends: how it begins, what is sent again and again, and the answers that may come of it.
FLOODS = {
    "a length": (ASKED % 100_000_000_000, 65_536 * b"x", {413}),
    "a length for nobody": (ASKED.replace(b"/echo", b"/") % 100_000_000_000, 65_536 * b"x", {413}),
    "a chunk": (CHUNKED + b"\r\nfffffffff\r\n", 65_536 * b"x", {413}),
    "chunks": (CHUNKED + b"\r\n", b"ffff\r\n%b\r\n" % (65_535 * b"x"), {413}),
    "chunks of one byte": (CHUNKED + b"\r\n", 10_000 * b"1\r\nx\r\n", {413}),
    "chunks with extensions": (CHUNKED + b"\r\n", b"1;a=%b\r\nx\r\n" % (8_000 * b"b"), {400, 408, 413}),
    "a chunk size": (CHUNKED + b"\r\n", 65_536 * b"0", {400, 408, 413}),
    "trailers": (CHUNKED + b"\r\n0\r\n", 1_000 * b"X: a\r\n", {400, 413, 431}),
    "a head": (GET, 1_000 * b"X: a\r\n", {431}),
    "a field": (GET + b"X: ", 65_536 * b"x", {431}),
    "an address": (b"GET /", 65_536 * b"x", {431}),
    "empty lines": (b"", 65_536 * b"\r\n", {400, 408, 431}),
    "no HTTP": (b"", 65_536 * b"\xff", {400}),
    "requests": (b"", 1_000 * (GET + HEAD + b"\r\n"), {0, 200}),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def strict() -> Iterator[Running]:
    """A server with little time."""
    with running(SHORT) as server:
        yield server


def status_of(came: bytes) -> int:
    """What the connection's last answer is."""
    return int(came.removeprefix(GO_ON).rpartition(b"HTTP/1.1 ")[2][:3] or 0)


def test_what_is_incomplete_is_never_carried_out(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    server.application.carried_out.clear()
    answered = {name: status_of(server.said_to(begun, ends=True)) for name, begun in INCOMPLETE.items()}
    assert answered == dict.fromkeys(INCOMPLETE, 400)
    assert (server.application.carried_out, caplog.records) == ([], [])


def test_what_is_malformed_is_refused_and_nothing_to_look_into(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    server.application.carried_out.clear()
    answered = {name: status_of(server.said_to(sent)) for name, sent in MALFORMED.items()}
    assert answered == dict.fromkeys(MALFORMED, 400)
    assert (server.application.carried_out, caplog.records) == ([], [])


def test_a_head_that_is_too_large_is_refused(server: Running) -> None:
    answered = {name: status_of(server.said_to(sent)) for name, sent in TOO_LARGE.items()}
    assert answered == dict.fromkeys(TOO_LARGE, 431)


def test_what_is_just_large_enough_is_taken(server: Running) -> None:
    fields = (HEAD_MAX_FIELDS - 2) * b"X: a\r\n" + b"Connection: close\r\n\r\n"
    assert status_of(server.said_to(GET + HEAD + fields)) == 200
    long = GET + HEAD + b"Connection: close\r\nX: " + (HEAD_MAX_BYTES - 100) * b"x" + b"\r\n\r\n"
    assert status_of(server.said_to(long)) == 200
    body = BODY_MAX_BYTES * b"x"
    closing = ASKED.replace(b"Host", b"Connection: close\r\nHost")
    assert server.said_to(closing % len(body) + body).endswith(b"\r\n\r\n" + body)
    with server.connect() as client:
        client.sendall((PIPELINE_MAX_REQUESTS - 1) * (GET + HEAD + b"\r\n"))
        client.sendall(GET + HEAD + b"Connection: close\r\n\r\n")
        assert client.makefile("rb").read().count(b"200 OK") == PIPELINE_MAX_REQUESTS


def test_a_refusal_is_a_problem_and_can_be_read_by_who_goes_on_sending(server: Running) -> None:
    with server.connect() as client:
        client.sendall(ASKED % 900_000 + 1_000 * b"x")
        assert select.select([client], [], [], 5)[0]
        for _ in range(20):
            client.sendall(40_000 * b"x")
        came = client.makefile("rb").read()
    assert came.startswith(b"HTTP/1.1 413 ")
    assert b"content-type: application/problem+json" in came
    assert b"connection: close" in came
    assert re.search(rb"\r\ndate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r\n", came)  # RFC 9110, section 6.6.1
    assert b'"type":"/problems/body-too-large"' in came


@pytest.mark.parametrize(
    ("accepted", "language", "title"),
    [("de-AT, en;q=0.5", "de", "Das Formular ist zu groß"), ("it", "en", "The form is too large"), ("", "en", "")],
)
def test_a_form_that_is_too_large_is_refused_with_a_page(
    server: Running, accepted: str, language: str, title: str
) -> None:
    more = f"Content-Type: application/x-www-form-urlencoded\r\nAccept-Language: {accepted}\r\nHost"
    came = server.said_to(ASKED.replace(b"Host", more.encode(), 1) % 900_000)
    assert (status_of(came), b"content-type: text/html; charset=utf-8" in came) == (413, True)
    assert f'<html lang="{language}">' in came.decode()
    assert title in came.decode()


@pytest.mark.parametrize(
    ("begun", "status"),
    [
        (b"", 0),
        (b"GET / HT", 408),
        (GET + HEAD, 408),
        (ASKED % 9 + b"half", 408),
        (ASKED.replace(b"Host", b"Expect: 100-continue\r\nHost") % 5, 408),
        (CHUNKED + b"\r\n5\r\nab", 408),
        (GET + HEAD + b"\r\n" + b"GET / HT", 408),
        (ASKED % 1 + b"a" + ASKED % 5 + b"half", 408),
    ],
)
def test_who_keeps_the_server_waiting_is_left(strict: Running, begun: bytes, status: int) -> None:
    assert status_of(strict.said_to(begun)) == status


def test_who_sends_a_byte_now_and_then_gains_no_time(strict: Running) -> None:
    with strict.connect() as client:
        began = time.monotonic()
        with suppress(ConnectionError):
            for byte in GET + HEAD + 100 * b"X: a\r\n":
                client.sendall(bytes([byte]))
                time.sleep(0.05)
        assert status_of(client.makefile("rb").read()) == 408
    assert time.monotonic() - began < 5


def test_a_body_in_chunks_that_is_too_large_is_refused_when_it_is_whole_too(server: Running) -> None:
    size = BODY_MAX_BYTES + 1
    sent = CHUNKED + b"\r\n%x\r\n" % size + size * b"x" + b"\r\n0\r\n\r\n"
    assert status_of(server.said_to(sent)) == 413


@pytest.mark.parametrize(("chunks", "status"), [(BODY_MAX_CHUNKS, 200), (BODY_MAX_CHUNKS + 1, 413)])
def test_a_body_has_so_many_chunks_and_no_more(server: Running, chunks: int, status: int) -> None:
    sent = CHUNKED + b"Connection: close\r\n\r\n" + (chunks - 1) * b"1\r\nx\r\n" + b"0\r\n\r\n"
    assert status_of(server.said_to(sent)) == status


def test_the_chunks_of_each_request_are_counted_anew(server: Running) -> None:
    asked = CHUNKED + b"\r\n" + (BODY_MAX_CHUNKS - 1) * b"1\r\nx\r\n" + b"0\r\n\r\n"
    said = server.said_to(asked + asked + GET + HEAD + b"Connection: close\r\n\r\n")
    assert said.count(b"HTTP/1.1 200 ") == 3


@pytest.mark.parametrize(("trailers", "status"), [(HEAD_MAX_FIELDS - 3, 200), (HEAD_MAX_FIELDS - 2, 413)])
@pytest.mark.parametrize("path", [b"/echo", b"/quick/0/0"])
def test_trailers_count_as_fields_of_the_request(server: Running, path: bytes, trailers: int, status: int) -> None:
    begun = CHUNKED.replace(b"/echo", path) + b"Connection: close\r\n\r\n1\r\nx\r\n0\r\n"
    assert status_of(server.said_to(begun + trailers * b"X: a\r\n" + b"\r\n")) == status


def test_trailers_that_are_too_many_are_read_no_further(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []
    monkeypatch.setattr(HttpConnection, "on_header", record_of(read))
    sent = CHUNKED + b"\r\n1\r\nx\r\n0\r\n" + 30_000 * b"a:\r\n"
    assert status_of(server.said_to(sent)) == 413
    assert len(read) < HEAD_MAX_BYTES


def record_of(read: list[bytes]) -> Callable[[HttpConnection, bytes, bytes], None]:
    """Reads a field as the server does, and notes its name."""
    inner = HttpConnection.on_header

    def on_header(self: HttpConnection, name: bytes, value: bytes) -> None:
        read.append(name)
        inner(self, name, value)

    return on_header


@pytest.mark.parametrize("more", [b"", b"/draw", b"/generate"])
def test_a_plan_may_be_larger_and_no_more_than_that(server: Running, more: bytes) -> None:
    body = 2 * BODY_MAX_BYTES * b"x"
    asked = PLAN.replace(b"/seating", b"/seating" + more).replace(b"Host", b"Connection: close\r\nHost")
    assert server.said_to(asked % len(body) + body).endswith(b"\r\n\r\n" + body)
    assert status_of(server.said_to(PLAN % (SEATING_MAX_BYTES + 1))) == 413
    chunk = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    assert status_of(server.said_to(PLAN.replace(b"Content-Length: %d", b"Transfer-Encoding: chunked") + chunk)) == 413


def test_the_form_of_an_event_may_be_larger_and_no_more_than_that(server: Running) -> None:
    form = PLAN.replace(b"/api/v3/events/1/seating", b"/organize/events/1/edit")
    body = EVENT_FORM_MAX_BYTES * b"x"
    assert server.said_to(form.replace(b"Host", b"Connection: close\r\nHost") % len(body) + body).endswith(body)
    assert status_of(server.said_to(form % (len(body) + 1))) == 413


def test_large_bodies_that_come_at_a_time_are_bounded(server: Running) -> None:
    begun = PLAN.replace(b"Host", b"Expect: 100-continue\r\nHost") % SEATING_MAX_BYTES
    clients = [server.connect() for _ in range(LARGE_BODIES_MAX)]
    for client in clients:
        client.sendall(begun)
        assert client.recv(100) == GO_ON
    assert status_of(server.said_to(begun)) == 503
    assert server.get() == (200, b"done")
    for client in clients:
        client.close()
    body = 2 * BODY_MAX_BYTES * b"x"
    asked = PLAN.replace(b"Host", b"Connection: close\r\nHost") % len(body) + body
    eventually(lambda: status_of(server.said_to(asked)) == 200, within=5)
    assert status_of(server.said_to(asked)) == 200


@pytest.fixture(scope="module")
def unread() -> Iterator[Running]:
    """A server with little time for who does not read."""
    with running(SHORT._replace(answer_s=60)) as server:
        yield server


@pytest.mark.parametrize("path", [b"/long", b"/quick/3000000/0"])
def test_who_reads_no_answer_is_left(unread: Running, path: bytes) -> None:
    crowd = [unread.connect() for _ in range(5)]
    for client in crowd:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.sendall(b"GET %b HTTP/1.1\r\n" % path + HEAD + b"\r\n")
    eventually(lambda: unread.server.server_state.connections, within=5)
    eventually(lambda: not unread.server.server_state.connections, within=10)
    eventually(lambda: not unread.counters.in_flight, within=5)
    for client in crowd:
        client.close()


def test_an_answer_does_not_go_on_for_ever(strict: Running) -> None:
    with strict.connect() as client:
        client.sendall(b"GET /news HTTP/1.1\r\n" + HEAD + b"\r\n")
        with suppress(ConnectionError):
            assert not client.makefile("rb").read().endswith(b"0\r\n\r\n")


def test_an_answer_that_is_cut_off_ends_with_those_behind_it(strict: Running, caplog: pytest.LogCaptureFixture) -> None:
    strict.application.carried_out.clear()
    with strict.connect() as client, suppress(ConnectionError):
        client.sendall(b"GET /news HTTP/1.1\r\n" + HEAD + b"\r\n" + GET + HEAD + b"\r\n")
        client.makefile("rb").read()
    eventually(lambda: not strict.counters.in_flight, within=5)
    assert (strict.application.carried_out, caplog.records) == (["/news"], [])


def test_who_takes_time_for_an_answer_keeps_the_connection_as_long_as_it_takes(strict: Running) -> None:
    sent = b"GET /quick/1/0.8 HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n"
    assert strict.said_to(sent).endswith(b"\r\n\r\nq")


def test_floods_are_refused_and_cut_off_while_others_are_served(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with ThreadPoolExecutor(len(FLOODS)) as crowd:
        ends = {name: crowd.submit(flood, server, begun, more) for name, (begun, more, _) in FLOODS.items()}
        while not all(end.done() for end in ends.values()):
            assert server.get() == (200, b"done")
    answered = {name: end.result() for name, end in ends.items()}
    assert {name: status for name, status in answered.items() if status not in FLOODS[name][2]} == {}
    assert caplog.records == []


def test_what_a_refused_client_still_sends_is_read_slowly(server: Running) -> None:
    began = time.monotonic()
    assert flood(server, b"", 65_536 * b"\xff") == 400
    # A read takes 250 KiB at most.
    assert time.monotonic() - began > 3 * LINGER_PAUSE_S


def test_64_clients_at_their_worst_hold_up_nobody(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    over = threading.Event()
    kinds = list(FLOODS.values())

    def attack(number: int) -> None:
        begun, more, _ = kinds[number % len(kinds)]
        while not over.is_set():
            with suppress(OSError):
                flood(server, begun, more)

    with ThreadPoolExecutor(64) as crowd:
        attackers = [crowd.submit(attack, number) for number in range(64)]
        try:
            for _ in range(5):
                assert server.get() == (200, b"done")
                assert server.get("/quick/1/0.01") == (200, b"q")
        finally:
            over.set()
        for attacker in attackers:
            attacker.result()
    eventually(lambda: not server.server.server_state.connections, within=15)
    assert caplog.records == []


def flood(server: Running, begun: bytes, more: bytes) -> int:
    """Send at line speed until the connection is cut off; the status of the first answer."""
    with server.connect() as client, ThreadPoolExecutor(1) as side:
        sending = side.submit(send_until_cut_off, client, begun, more)
        try:
            came = client.recv(12)
        except ConnectionError:
            came = b""
        assert sending.result() is None
        return int(came[9:12] or 0)


def send_until_cut_off(client: socket.socket, begun: bytes, more: bytes) -> None:
    """Raises AssertionError where that takes too long."""
    deadline = time.monotonic() + CUT_OFF_WITHIN_S
    with suppress(ConnectionError):
        client.sendall(begun)
        while time.monotonic() < deadline:
            client.sendall(more)
        raise AssertionError("still read")


def test_what_is_read_after_a_refusal_is_bounded(server: Running) -> None:
    taken = 0
    with server.connect() as client, suppress(ConnectionError):
        client.sendall(b"no HTTP\r\n\r\n")
        for _ in range(1_000):
            taken += client.send(65_536 * b"x")
    assert taken < 1_000 * 65_536
    assert LINGER_MAX_BYTES < 1_000 * 65_536


def test_requests_that_wait_for_those_before_them_are_bounded(server: Running) -> None:
    sent = (PIPELINE_MAX_REQUESTS + 10) * (b"GET /quick/1/0.2 HTTP/1.1\r\n" + HEAD + b"\r\n")
    with server.connect() as client, suppress(ConnectionError):
        client.sendall(sent)
        assert client.makefile("rb").read() == b""
