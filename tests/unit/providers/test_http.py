"""Calls that block: an answer that never ends is no answer, and the connection is not used again."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from providers import http
from providers.http import ANSWER_MAX_BYTES, RetryingClient
from providers.port import ProviderUnavailable

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"


class Slow:
    """A server that sends a head, and then pieces without an end."""

    def __init__(self, piece: bytes, pause_s: float, head: bytes = HEAD) -> None:
        self.answered = self.sent = 0
        self._piece, self._pause_s, self._head = piece, pause_s, head
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self.answered += 1
            threading.Thread(target=self._send, args=(client,), daemon=True).start()

    def _send(self, client: socket.socket) -> None:
        with client:
            client.recv(65_536)
            client.sendall(self._head)
            while self.sent < 50_000_000:
                try:
                    client.sendall(self._piece)
                except OSError:
                    return
                self.sent += len(self._piece)
                time.sleep(self._pause_s)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # which ends what accepts, as to close it would not
        self._thread.join(5)
        self._socket.close()


ENDLESS = {
    "a body slowly": (b"x", 0.02),
    "a body for ever": (b"x" * 65_536, 0.0),
    "a head slowly": (b"x", 0.02, HEAD[:-4]),
    "a status slowly": (b"H", 0.02, b""),
}


@pytest.fixture(params=list(ENDLESS.values()), ids=list(ENDLESS))
def slow(request: pytest.FixtureRequest) -> Iterator[Slow]:
    server = Slow(*request.param)
    yield server
    server.close()


def test_an_answer_that_does_not_end_is_given_up_in_time(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "RETRY_FIRST_S", 5.0)  # one try
    began_s = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        RetryingClient(0.3).send("GET", slow.url, None, {})
    assert time.monotonic() - began_s < 2
    assert slow.answered == 1
    assert slow.sent < 20 * ANSWER_MAX_BYTES
