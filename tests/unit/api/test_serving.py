"""The HTTP server in a process of its own, on an application that only sleeps or streams."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stack.ports import free
from tests.eventually import eventually

ASKED = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LAST_S = 1.0
UNUSED_S = 1.5
ROOT = Path(__file__).parents[3]
APPLICATION = """
import time
from api.stopping import is_stopping

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/echo":
        body = environ["wsgi.input"].read()
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
def port(tmp_path: Path, patience: int) -> Iterator[int]:
    [port] = free(1)
    (tmp_path / "sleepy.py").write_text(APPLICATION)
    command = ("gunicorn", "-k", "api.serving.Worker", "-b", f"127.0.0.1:{port}", "--keep-alive", f"{patience}")
    more = ("--graceful-timeout", "8", "--no-control-socket", "--forwarded-allow-ips", "", "sleepy:app")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    server = subprocess.Popen((sys.executable, "-m", *command, *more), env=environment, cwd=ROOT)
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
    for body in (b"", b"a", 100_000 * b"b", iter([b"c", b"d"]), b"e"):
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
@pytest.mark.parametrize("begun", [b"", b"GET / HT", ASKED % 9 + b"half"])
def test_who_keeps_the_server_waiting_is_left(port: int, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(ASKED % 1 + b"a")
        assert client.recv(1_000).startswith(b"HTTP/1.1 200 ")
        client.sendall(begun)
        assert client.recv(1_000) == b""


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
