"""The HTTP server in a process of its own, on an application that only sleeps or streams."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stack.ports import free
from tests.eventually import eventually

ROOT = Path(__file__).parents[3]
APPLICATION = """
import time
from api.stopping import is_stopping

def app(environ, start_response):
    path = environ["PATH_INFO"]
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
def port(tmp_path: Path) -> Iterator[int]:
    [port] = free(1)
    (tmp_path / "sleepy.py").write_text(APPLICATION)
    command = ("gunicorn", "-k", "api.serving.Worker", "-b", f"127.0.0.1:{port}", "--keep-alive", "60")
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


def test_a_stop_answers_what_is_under_way_and_is_held_up_by_no_idle_connection(port: int) -> None:
    idle, busy, later = (http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(3))
    for connection in (idle, later):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"done"
    busy.request("GET", "/slow")
    time.sleep(0.2)

    os.kill(master_of(port), signal.SIGTERM)
    time.sleep(0.5)
    later.request("GET", "/")
    last = later.getresponse()
    assert (last.status, last.headers["Connection"]) == (200, "close")
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
