"""gunicorn's response in one piece: head and first bytes of the body in one write, where gunicorn makes two."""

from typing import Any, Final

from gunicorn.http.wsgi import HEADER_VALUE_RE, Response

from api.reply import opening

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
        lines = [opening(f"{self.req.version[0]}.{self.req.version[1]}", self.status, is_last=self.should_close())]
        return [*lines, "Transfer-Encoding: chunked\r\n"] if self.chunked else lines
