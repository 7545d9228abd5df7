"""What passes through a route, and what does not while it is cut, stalled or slow."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from lab.chaos.proxy import HOST, Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that says everything again; its port."""
    with socket.create_server((HOST, 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection:
                try:
                    while data := connection.recv(100):
                        connection.sendall(data)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    yield proxy
    proxy.close()


def ask(port: int, seconds: float = 5.0) -> bytes:
    """The answer of a new connection; nothing if it was ended."""
    with socket.create_connection((HOST, port), timeout=seconds) as connection:
        with suppress(OSError):  # it may be ended already
            connection.sendall(b"hello")
        return received(connection)


def received(connection: socket.socket) -> bytes:
    """What comes next; nothing if the connection was ended."""
    try:
        return connection.recv(100)
    except ConnectionResetError:
        return b""


def test_everything_passes(proxy: Proxy, echo: int) -> None:
    assert ask(proxy.open("way", echo)) == b"hello"


def test_a_cut_ends_what_stands_and_refuses_what_comes(proxy: Proxy, echo: int) -> None:
    port, other = proxy.open("way", echo), proxy.open("other way", echo)
    with socket.create_connection((HOST, port), timeout=5) as standing:
        standing.sendall(b"x")
        assert received(standing) == b"x"
        proxy.cut("way")
        assert received(standing) == b""
    assert ask(port) == b""
    assert ask(other) == b"hello"
    proxy.restore("way")
    assert ask(port) == b"hello"


def test_what_is_stalled_comes_late_and_whole(proxy: Proxy, echo: int) -> None:
    port = proxy.open("way", echo)
    proxy.stall("way")
    with socket.create_connection((HOST, port), timeout=0.3) as connection:
        connection.sendall(b"hello")
        with pytest.raises(TimeoutError):
            connection.recv(100)
        proxy.restore("way")
        connection.settimeout(5)
        assert connection.recv(100) == b"hello"


def test_a_slow_way_takes_its_time_in_both_directions(proxy: Proxy, echo: int) -> None:
    port = proxy.open("way", echo)
    proxy.slow("way", 0.2)
    began = time.monotonic()
    assert ask(port) == b"hello"
    assert time.monotonic() - began >= 0.4


def test_a_way_to_nobody_is_a_refusal(proxy: Proxy, echo: int) -> None:
    with socket.create_server((HOST, 0)) as gone:
        port = gone.getsockname()[1]
    assert ask(proxy.open("way", port)) == b""
