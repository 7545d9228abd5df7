"""gunicorn's response in one piece: head and first bytes of the body in one write, where gunicorn makes two."""

import time
from functools import lru_cache
from typing import Any, Final

from gunicorn import util
from gunicorn.http.wsgi import HEADER_VALUE_RE, Response

_USUAL: Final = frozenset({"Content-Type", "Location", "Preference-Applied", "Retry-After", "WWW-Authenticate"})


class OneWrite(Response):  # type: ignore[misc]
    """A response whose head waits for the body."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.headers_sent = False
        self._head = b""

    def process_headers(self, headers: list[tuple[str, str]]) -> None:
        """Take the headers. Of those that say nothing of how the answer is sent only the values are looked at."""
        for name, value in headers:
            if name in _USUAL and HEADER_VALUE_RE.fullmatch(value):
                self.headers.append((name, value.strip(" \t")))
            else:
                super().process_headers([(name, value)])

    def send_headers(self) -> None:
        """Make the head ready; it goes out with what follows."""
        if self.headers_sent:
            return
        lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers)]
        self._head = f"{''.join(lines)}\r\n".encode("latin-1")
        self.headers_sent = True

    def close(self) -> None:
        """End the response."""
        self.send_headers()
        self._flush()
        super().close()

    def _emit_body(self, data: bytes) -> None:
        framed = b"%X\r\n%s\r\n" % (len(data), data) if self.chunked else data
        self._flush(framed)

    def _flush(self, data: bytes = b"") -> None:
        out, self._head = self._head + data, b""
        if out and (sent := self.sock.send(out)) < len(out):
            self.sock.sendall(memoryview(out)[sent:])

    def default_headers(self) -> list[str]:
        """The status and what goes with every response."""
        connection = "close" if self.should_close() else "keep-alive"
        lines = [
            f"HTTP/{self.req.version[0]}.{self.req.version[1]} {self.status}\r\n",
            f"Server: {self.version}\r\n",
            f"Date: {_date()}\r\n",
            f"Connection: {connection}\r\n",
        ]
        return [*lines, "Transfer-Encoding: chunked\r\n"] if self.chunked else lines


def _date() -> str:
    return _date_of(int(time.time()))


@lru_cache(maxsize=1)
def _date_of(second: int) -> str:
    return str(util.http_date(second))
