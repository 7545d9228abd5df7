"""The hostile clients do what they are meant to; a call of an honest one that fails is no figure."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from lab.bench.hostile import ATTACKS, attack, latencies_s
from stack.member import HOST

READ_BYTES = 2_000_000


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(10)
        yield listener


def received(listener: socket.socket) -> bytes:
    """What a client sends until it has nothing more, or has sent a lot; then the connection is closed."""
    connection, _ = listener.accept()
    came = bytearray()
    with connection:
        connection.settimeout(0.3)
        try:
            while len(came) < READ_BYTES and (some := connection.recv(65_536)):
                came += some
        except TimeoutError:
            pass
    return bytes(came)


@pytest.mark.parametrize(("first", "again"), ATTACKS)
def test_an_attack_goes_on_until_the_connection_is_closed(listener: socket.socket, first: bytes, again: bytes) -> None:
    with ThreadPoolExecutor(1) as thread:
        attacker = thread.submit(attack, listener.getsockname()[1], first, again)
        came = received(listener)
        ended = attacker.exception(timeout=10)
    assert ended is None or isinstance(ended, ConnectionError)
    if not again:
        assert came == first
        return
    repeated = first + again * (len(came) // len(again) + 1)
    assert len(came) >= READ_BYTES
    assert repeated.startswith(came)


def test_a_call_that_fails_is_no_figure() -> None:
    request = httpx.Request("GET", "http://box.example/")
    with pytest.raises(httpx.HTTPStatusError):
        latencies_s(lambda: httpx.Response(503, request=request), 1)
