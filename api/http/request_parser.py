"""Reads the requests of a connection, within limits on each part; a request is handed on once it is whole.

So an incomplete request is never carried out (RFC 9112, section 8).
"""

import re
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.limits import BODY_MAX_CHUNKS, HEAD_MAX_BYTES, HEAD_MAX_FIELDS, PIPELINE_MAX_REQUESTS, Admission
from api.http.refusal import Refusal
from api.web.body_sizes import BODY_MAX_BYTES, body_max_bytes

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
# A colon, a space, and the end of the line.
FIELD_OVERHEAD_BYTES: Final = 4
# uri-host [":" port] (RFC 3986).
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")


class ConnectionPhase(Enum):
    """What a connection waits for: a request, the rest of its head or body, the application, or its own end."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    END = auto()


# Why a request is refused whose part is too long before its end has come.
TOO_LONG: Final = {
    ConnectionPhase.IDLE: "malformed-request",
    ConnectionPhase.HEAD: "head-too-large",
    ConnectionPhase.BODY: "body-too-large",
}


class RequestParser(HttpToolsProtocol):
    """The callbacks of llhttp. ``phase`` is that of the connection's oldest request, since ``since``."""

    def __init__(self, admission: Admission, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._admission = admission
        self.phase = ConnectionPhase.IDLE
        self.since = self.loop.time()
        # Of the newest request: the part that is read now, its fields by name, its body.
        self._reading = ConnectionPhase.IDLE
        self._fields: dict[bytes, bytes] = {}
        self._body: bytes | bytearray = b""
        self._body_max_bytes = BODY_MAX_BYTES
        self._is_whole = self._has_large_body = False
        self._head_bytes = self._partial_bytes = self._chunks = 0

    def on_message_begin(self) -> None:
        """Another request."""
        if len(self.pipeline) >= PIPELINE_MAX_REQUESTS:
            self.transport.abort()
            raise Refusal("malformed-request")
        self.url, self._body = b"", b""
        self.headers = []
        self.expect_100_continue = False
        self._head_bytes = self._chunks = 0
        self._body_max_bytes = BODY_MAX_BYTES
        self._read(ConnectionPhase.HEAD)

    def on_url(self, url: bytes) -> None:
        """The request's target, or a piece of it."""
        self.url += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. One with an underscore is left out: in WSGI it would have another header's name."""
        self._count_head(len(name) + len(value) + FIELD_OVERHEAD_BYTES)
        if len(self.headers) >= HEAD_MAX_FIELDS:
            raise Refusal("head-too-large")
        if b"_" not in name:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head has come; the client may send the body."""
        self._fields = dict(self.headers)
        self._check_head()
        self._read(ConnectionPhase.BODY)
        if self._fields.get(b"expect", b"").lower() == b"100-continue" and self.phase is not ConnectionPhase.ANSWER:
            self.transport.write(CONTINUE)

    def on_chunk_header(self) -> None:
        """Another chunk of the body."""
        self._chunks += 1
        if self._chunks > BODY_MAX_CHUNKS:
            raise Refusal("body-too-large")

    def on_body(self, body: bytes) -> None:
        """The body, or a piece of it."""
        if not self._body:
            self._body = body
        else:
            # Bytes would be copied for each piece, and a piece may be one byte.
            self._body = self._body if isinstance(self._body, bytearray) else bytearray(self._body)
            self._body += body
        if len(self._body) > self._body_max_bytes:
            raise Refusal("body-too-large")

    def _queue(self) -> None:
        """Let uvicorn answer the whole request, after those that came before it."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.headers.extend(headers)
        super().on_headers_complete()
        self.cycle.body.extend(self._body)
        super().on_message_complete()

    def _read(self, part: ConnectionPhase) -> None:
        self._reading = part
        if self.phase is not ConnectionPhase.ANSWER:
            self._enter(part)

    def _enter(self, phase: ConnectionPhase) -> None:
        self.phase = phase
        self.since = self.loop.time()

    def _check_head(self) -> None:
        """Raises Refusal for an invalid Host (RFC 9112, section 3.2), and for a body that is too large."""
        host = self._fields.get(b"host")
        is_missing = host is None and self.parser.get_http_version() != "1.0"
        has_two = len(self._fields) != len(self.headers) and sum(name == b"host" for name, _ in self.headers) > 1
        if is_missing or has_two or (host is not None and not is_host(host)):
            raise Refusal("malformed-request")
        length = int(self._fields.get(b"content-length", 0))
        if length > BODY_MAX_BYTES:
            self._check_large_body(length)

    def _check_large_body(self, length: int) -> None:
        if length > body_max_bytes(self.url.partition(b"?")[0].decode("latin-1")):
            raise Refusal("body-too-large")
        # One of a connection, until it is answered.
        if self._has_large_body or not self._admission.admit_large_body():
            raise Refusal("uploads-busy")
        self._has_large_body = True
        self._body_max_bytes = length

    def _count_head(self, more: int) -> None:
        self._head_bytes += more
        if self._head_bytes > HEAD_MAX_BYTES:
            raise Refusal("head-too-large")

    def _count_partial(self, more: int) -> None:
        """Count the bytes since the last whole request; those that came with its end are not known."""
        self._partial_bytes = 0 if self._is_whole else self._partial_bytes + more
        # Empty lines, or a head; a body with the framing of its chunks.
        max_bytes = 2 * self._body_max_bytes if self._reading is ConnectionPhase.BODY else HEAD_MAX_BYTES
        if self._partial_bytes > max_bytes:
            raise Refusal(TOO_LONG[self._reading])


@lru_cache(maxsize=1_024)
def is_host(value: bytes) -> bool:
    """Whether the value of a Host header is valid."""
    return _HOST.fullmatch(value) is not None
