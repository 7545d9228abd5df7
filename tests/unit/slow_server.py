"""A server that answers piece by piece, longer than any test takes that passes."""

import socket
import ssl
import threading
import time
from typing import Final

# Who waits without a limit fails then, instead of hanging.
LASTS_S: Final = 4.0
HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n"
# Each with what comes at once, the pieces, and the pause between them (s).
ENDLESS: Final = {
    "a body slowly": (HEAD, b"x", 0.02),
    "a head slowly": (HEAD[:-4], b"x", 0.02),
    "a status slowly": (b"", b"H", 0.02),
}


class SlowServer:
    """Sends ``head``, and then pieces for LASTS_S, to each client; with ``tls`` by that."""

    def __init__(self, head: bytes, piece: bytes, pause_s: float, tls: ssl.SSLContext | None = None) -> None:
        self.answered = self.sent = 0
        self._head, self._piece, self._pause_s = head, piece, pause_s
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            if self._tls:
                client = self._tls.wrap_socket(client, server_side=True)
            self.answered += 1
            threading.Thread(target=self._send, args=(client,), daemon=True).start()

    def _send(self, client: socket.socket) -> None:
        with client:
            client.recv(65_536)
            client.sendall(self._head)
            ends_at = time.monotonic() + LASTS_S
            while self.sent < 50_000_000 and time.monotonic() < ends_at:
                try:
                    client.sendall(self._piece)
                except OSError:
                    return
                self.sent += len(self._piece)
                time.sleep(self._pause_s)

    def close(self) -> None:
        """End it."""
        self._socket.shutdown(socket.SHUT_RDWR)  # which ends what accepts, as to close it would not
        self._thread.join(5)
        self._socket.close()
