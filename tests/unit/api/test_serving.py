"""The HTTP server in a process of its own, on an application that only sleeps or streams."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from stack.ports import free
from tests.eventually import eventually

ASKED = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
CUT_OFF_WITHIN_S = 20
LAST_S = 1.0
UNUSED_S = 1.5
ROOT = Path(__file__).parents[3]
APPLICATION = """
import time
import gevent
from gevent.event import Event
from api.reply import Reply
from api.stopping import is_stopping

class Break:
    def __init__(self, ends, seconds):
        self.seconds, self.is_over, self.on_over = seconds, False, lambda: None
        gevent.spawn_later(ends, self.end)

    def end(self):
        self.is_over = True
        self.on_over()

def steps(ends, seconds, body):
    pause = Break(ends, seconds)
    yield pause
    yield Break(0, 0)
    return Reply(200, "text/plain", {}, b"%b %d" % (body, pause.is_over))

class App:
    def __init__(self):
        self.extensions = {"quick": self.quick}

    def quick(self, request):
        if not request.path.startswith("/quick/"):
            return None
        size, ends, seconds = request.path.split("/")[2:]
        return steps(float(ends), float(seconds), request.content or int(size) * b"q")

    def __call__(self, environ, start_response):
        return answer(environ, start_response)

app = App()

def answer(environ, start_response):
    path = environ["PATH_INFO"]
    if int(environ.get("CONTENT_LENGTH") or 0) > 65_536:
        start_response("413 Content Too Large", [("Content-Length", "0")])
        return []
    if path == "/echo" or path.startswith("/quick/"):
        try:
            body = environ["wsgi.input"].read()
        except Exception:
            # As a framework answers what it did not expect.
            start_response("500 Internal Server Error", [("Content-Length", "0")])
            return []
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]
    if path == "/slow":
        time.sleep(1.5)
    if path == "/pieces":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([b"one ", b"two"])
    if path == "/nothing":
        start_response("204 No Content", [])
        return []
    if path == "/news":
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return news(is_stopping(environ))
    if path == "/broken":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return breaks()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
    return [b"done"]

def news(is_over):
    while not is_over():
        yield b"data: x\\n\\n"
        time.sleep(0.05)

def breaks():
    yield b"one "
    raise KeyError("secret")
"""


@pytest.fixture
def patience() -> int:
    """How many seconds a connection may wait for its next request."""
    return 60


@pytest.fixture
def room() -> int:
    """How many clients may be there at once."""
    return 1_000


@pytest.fixture
def port(tmp_path: Path, patience: int, room: int) -> Iterator[int]:
    [port] = free(1)
    (tmp_path / "sleepy.py").write_text(APPLICATION)
    command = ("gunicorn", "-k", "api.serving.Worker", "-b", f"127.0.0.1:{port}", "--keep-alive", f"{patience}")
    limits = ("--worker-connections", f"{room}", "--graceful-timeout", "8")
    more = (*limits, "--no-control-socket", "--forwarded-allow-ips", "", "sleepy:app")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen((sys.executable, "-m", *command, *more), env=environment, cwd=ROOT, stderr=log)
    try:
        eventually(lambda: answers(port), within=20)
        yield port
        server.send_signal(signal.SIGTERM)
        assert server.wait(8) == 0
    finally:
        server.kill()
        server.wait()


def answers(port: int) -> bool:
    try:
        return get(port, "/")[0] == 200
    except OSError:
        return False


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def master_of(port: int) -> int:
    """The process that listens there and has children."""
    listening = {each.pid for each in psutil.net_connections("tcp") if each.laddr and each.laddr.port == port}
    return min(pid for pid in listening if pid is not None)


def workers_of(port: int) -> set[int]:
    """The processes that serve."""
    return {worker.pid for worker in psutil.Process(master_of(port)).children()}


def test_answers_come_whole_in_pieces_and_empty(port: int) -> None:
    assert get(port, "/") == (200, b"done")
    assert get(port, "/pieces") == (200, b"one two")
    assert get(port, "/nothing") == (204, b"")


def test_an_answer_that_breaks_off_is_seen_to_be_cut(port: int) -> None:
    with pytest.raises(http.client.IncompleteRead) as cut:
        get(port, "/broken")
    assert cut.value.partial == b"one "
    assert get(port, "/") == (200, b"done")


def test_bodies_come_with_a_length_or_in_chunks(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for body in (b"", b"a", 65_536 * b"b", iter([b"c", b"d"]), b"e"):
        connection.request("POST", "/echo", body)
        sent = body if isinstance(body, bytes) else b"cd"
        assert connection.getresponse().read() == sent
    connection.close()


def test_requests_sent_at_once_are_answered_in_turn(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(ASKED % 1 + b"a" + ASKED % 2 + b"bc" + LAST)
        came = client.makefile("rb").read()
    assert came.count(b"HTTP/1.1 200 OK") == 3
    assert came.index(b"\r\n\r\na") < came.index(b"\r\n\r\nbc") < came.index(b"\r\n\r\ndone")


def test_what_is_no_request_is_refused(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"POST /echo HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("patience", [1])
@pytest.mark.parametrize("begun", [b"", b"GET / HT", ASKED % 9 + b"half", CHUNKED + b"Host", CHUNKED + b"\r\n5\r\nab"])
def test_who_keeps_the_server_waiting_is_left(port: int, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(ASKED % 1 + b"a")
        assert client.recv(1_000).startswith(b"HTTP/1.1 200 ")
        client.sendall(begun)
        assert client.recv(1_000) == b""


INCOMPLETE = {
    "a body": ASKED % 11 + b"half",
    "a body that lacks its last byte": ASKED % 5 + b"half",
    "no body": ASKED % 1,
    "a quick request": b"POST /quick/0/0/60 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhalf",
    "a body that was to be waited for": ASKED.replace(b"Host", b"Expect: 100-continue\r\nHost") % 5 + b"half",
    "a chunk": CHUNKED + b"\r\n5\r\nhalf",
    "chunks without the last": CHUNKED + b"\r\n4\r\nhalf\r\n",
    "a last chunk without its end": CHUNKED + b"\r\n4\r\nhalf\r\n0\r\n",
    "a trailer": CHUNKED + b"\r\n4\r\nhalf\r\n0\r\nX: a",
}
MALFORMED = {
    "no chunk size": CHUNKED + b"\r\nx\r\nhalf\r\n0\r\n\r\n",
    "a negative chunk size": CHUNKED + b"\r\n-4\r\nhalf\r\n0\r\n\r\n",
    "a chunk that is longer than was said": CHUNKED + b"\r\n3\r\nhalf\r\n0\r\n\r\n",
    "a bad chunk extension": CHUNKED + b"\r\n4;=\r\nhalf\r\n0\r\n\r\n",
    "a bad trailer": CHUNKED + b"\r\n4\r\nhalf\r\n0\r\nno trailer\r\n\r\n",
    "a trailer that says how long it is": CHUNKED + b"\r\n4\r\nhalf\r\n0\r\nContent-Length: 4\r\n\r\n",
}
# What never ends: how it begins, and what is sent again and again.
FLOODS = {
    "a length": (ASKED % 100_000_000_000, 65_536 * b"x"),
    "a length for nobody": (ASKED.replace(b"/echo", b"/") % 100_000_000_000, 65_536 * b"x"),
    "a chunk": (CHUNKED + b"\r\nfffffffff\r\n", 65_536 * b"x"),
    "chunks": (CHUNKED + b"\r\n", b"ffff\r\n%b\r\n" % (65_535 * b"x")),
    "chunks of one byte": (CHUNKED + b"\r\n", 10_000 * b"1\r\nx\r\n"),
    "chunks with extensions": (CHUNKED + b"\r\n", b"1;a=%b\r\nx\r\n" % (8_000 * b"b")),
    "a chunk size": (CHUNKED + b"\r\n", 65_536 * b"0"),
    "trailers": (CHUNKED + b"\r\n0\r\n", 1_000 * b"X: a\r\n"),
}


def test_what_is_incomplete_never_gets_to_the_application(port: int, tmp_path: Path) -> None:
    answered = {name: status_of(port, begun, ends=True) for name, begun in INCOMPLETE.items()}
    assert answered == dict.fromkeys(INCOMPLETE, b"400")
    assert b"Traceback" not in (tmp_path / "log").read_bytes()


def test_what_are_no_chunks_is_refused_and_nothing_to_look_into(port: int, tmp_path: Path) -> None:
    answered = {name: status_of(port, sent) for name, sent in MALFORMED.items()}
    assert answered == dict.fromkeys(MALFORMED, b"400")
    assert b"Traceback" not in (tmp_path / "log").read_bytes()


def status_of(port: int, sent: bytes, *, ends: bool = False) -> bytes:
    """What the connection's last answer is, after the client has sent this and, maybe, the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(sent)
        if ends:
            client.shutdown(socket.SHUT_WR)
        return client.makefile("rb").read().removeprefix(GO_ON)[9:12]


def test_floods_are_refused_and_cut_off_while_others_are_served(port: int, tmp_path: Path) -> None:
    workers = workers_of(port)
    with ThreadPoolExecutor(len(FLOODS)) as crowd:
        ends = {name: crowd.submit(flood, port, *sent) for name, sent in FLOODS.items()}
        while not all(end.done() for end in ends.values()):
            assert get(port, "/") == (200, b"done")
    answered = {name: end.result() for name, end in ends.items()}
    assert answered == dict.fromkeys(FLOODS, b"HTTP/1.1 413") | {"a chunk size": b"HTTP/1.1 400"}
    assert workers_of(port) == workers
    assert b"Traceback" not in (tmp_path / "log").read_bytes()


def flood(port: int, begun: bytes, more: bytes) -> bytes:
    """Send at line speed until the connection is cut off, and return the status line's beginning."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client, ThreadPoolExecutor(1) as side:
        sending = side.submit(send_until_cut_off, client, begun, more)
        status = client.recv(12)
        sending.result()
        return status


def send_until_cut_off(client: socket.socket, begun: bytes, more: bytes) -> None:
    """Raises AssertionError where that takes too long."""
    deadline = time.monotonic() + CUT_OFF_WITHIN_S
    with suppress(ConnectionError):
        client.sendall(begun)
        while time.monotonic() < deadline:
            client.sendall(more)
        raise AssertionError("still read")


def test_who_has_sent_too_much_can_read_that_it_was_too_much(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/echo", 900_000 * b"x")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Connection"], answer.read()) == (413, "close", b"")


def test_who_asks_first_whether_to_send_is_told(port: int) -> None:
    asked = b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(asked % 1)
        assert client.recv(1_000) == GO_ON
        client.sendall(b"a" + asked % 65_537)
        came = client.makefile("rb").read()
    assert [part[1:4] for part in came.split(b"HTTP/1.1")[1:]] == [b"200", b"413"]


def test_a_request_whose_body_still_comes_when_the_server_stops_is_answered(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(ASKED % 2 + b"a")
        time.sleep(0.2)
        os.kill(master_of(port), signal.SIGTERM)
        time.sleep(LAST_S + UNUSED_S + 0.5)
        client.sendall(b"b")
        assert client.makefile("rb").read().endswith(b"\r\n\r\nab")


def test_a_stop_answers_what_is_under_way_and_is_held_up_by_no_idle_connection(port: int) -> None:
    idle, busy, later = (http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(3))
    for connection in (idle, later):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"done"
    busy.request("GET", "/slow")
    time.sleep(0.2)

    os.kill(master_of(port), signal.SIGTERM)

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


def test_news_come_as_they_are_made_and_end_when_the_server_stops(port: int) -> None:
    listeners = [http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(20)]
    answers = []
    for listener in listeners:
        listener.request("GET", "/news")
        answers.append(listener.getresponse())
    assert [answer.read(9) for answer in answers] == [b"data: x\n\n"] * len(answers)
    assert get(port, "/") == (200, b"done")

    began = time.monotonic()
    os.kill(master_of(port), signal.SIGTERM)
    for answer in answers:
        answer.read()  # to its end, which is whole
    assert time.monotonic() - began < 6


def test_a_quick_answer_waits_for_what_it_waits_for_and_no_longer(port: int) -> None:
    began = time.monotonic()
    assert get(port, "/quick/1/0/60") == (200, b"q 1")
    assert get(port, "/quick/1/0.2/60") == (200, b"q 1")
    assert get(port, "/quick/1/60/0.2") == (200, b"q 0")
    assert get(port, "/quick/1/60/0") == (200, b"q 0")
    assert time.monotonic() - began < 5


def test_many_wait_for_quick_answers_at_once_while_others_are_served(port: int) -> None:
    waiting = [http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(200)]
    for number, connection in enumerate(waiting):
        connection.request("POST", "/quick/0/1/60", b"%d" % number)
    began = time.monotonic()
    assert get(port, "/") == (200, b"done")
    assert time.monotonic() - began < 0.9
    answers = [connection.getresponse().read() for connection in waiting]
    assert answers == [b"%d 1" % number for number in range(len(waiting))]
    for connection in waiting:
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"done"
        connection.close()


def test_quick_and_other_requests_of_a_connection_are_answered_in_turn(port: int) -> None:
    quick = b"POST /quick/0/0.2/60 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n%d"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(quick % 1 + ASKED % 1 + b"2" + quick % 3)
        client.sendall(quick % 4)
        time.sleep(1)
        client.sendall(quick.replace(b"Host: a", b"Connection: close") % 5)
        came = client.makefile("rb").read()
    assert [part[:1] for part in came.split(b"\r\n\r\n")[1:]] == [b"1", b"2", b"3", b"4", b"5"]


def test_a_long_answer_is_sent_whole_to_who_reads_slowly(port: int) -> None:
    size = 20_000_000
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"GET /quick/%d/0/60 HTTP/1.1\r\nConnection: close\r\n\r\n" % size)
        time.sleep(0.3)
        assert get(port, "/") == (200, b"done")
        came = client.makefile("rb").read()
    assert came.endswith(b"\r\n\r\n" + size * b"q" + b" 1")


def test_who_leaves_before_the_quick_answer_holds_up_nobody(port: int) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(b"GET /quick/1/0.2/60 HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.5)
    assert get(port, "/quick/1/0/60") == (200, b"q 1")


def test_a_stop_waits_for_quick_answers_and_tells_that_they_are_the_last(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/quick/1/2/60")
    time.sleep(0.2)
    os.kill(master_of(port), signal.SIGTERM)
    answer = connection.getresponse()
    assert (answer.status, answer.read(), answer.headers["Connection"]) == (200, b"q 1", "close")


@pytest.mark.parametrize("room", [2])
def test_one_client_too_many_waits_at_the_door_until_another_leaves(port: int) -> None:
    first, second, third = (http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(3))
    for connection in (first, second):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"done"
    third.request("GET", "/")
    assert third.sock is not None
    third.sock.settimeout(0.5)
    with pytest.raises(TimeoutError):
        third.sock.recv(1, socket.MSG_PEEK)
    third.sock.settimeout(10)
    first.close()
    assert third.getresponse().read() == b"done"
    for connection in (second, third):
        connection.close()
