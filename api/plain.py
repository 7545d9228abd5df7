"""A connection's requests, one after the other: those that come as most do are read by llhttp, all others by gunicorn.

Plain is what has a short head without anything unusual and a body of told length, with nothing behind it. What is not
plain goes to gunicorn's parser as it came, so that there is one judge of what is refused, and how.
"""

import io
import re
from functools import lru_cache
from typing import Any, Final

from gunicorn import util
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import base_environ
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from api.message import MESSAGE_MAX_BYTES, BoundedUnreader, read_body

# Both are below what gunicorn refuses by api/gunicorn.conf.py.
MOST_HEAD: Final = 8_000
MOST_FIELDS: Final = 64
# As much as any route takes, and the head; a longer body is refused before it is read.
MOST_BYTES: Final = 64 * 1024 + MOST_HEAD
END: Final = b"\r\n\r\n"

_TARGET: Final = re.compile(r"(?!//)(/[!-\"$->@-~]*)(?:\?([!-\"$-~]*))?", re.ASCII)
# They change how a message is framed, or what gunicorn makes of it.
_UNUSUAL: Final = frozenset({"EXPECT", "TRANSFER-ENCODING", "UPGRADE", "TRAILER"})


Environ = dict[str, Any]


class Reading:
    """What llhttp finds in a message, by its callbacks."""

    __slots__ = ("body", "headers", "is_plain", "is_whole", "target")

    def __init__(self) -> None:
        self.target = b""
        self.headers: dict[str, str] = {}
        self.body = b""
        self.is_plain = True
        self.is_whole = False

    def on_url(self, url: bytes) -> None:
        """The request's target, or a piece of it."""
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        known = _name(name)
        if known is None or known in self.headers:
            self.is_plain = False
        else:
            self.headers[known] = value.decode("latin-1").strip(" \t")

    def on_body(self, body: bytes) -> None:
        """The body, or a piece of it."""
        self.body += body

    def on_message_complete(self) -> None:
        """That was all of it."""
        self.is_whole = True


class Plain(Request):  # type: ignore[misc]
    """A request as gunicorn's own are, whose body has come."""

    version = (1, 1)
    scheme = "http"
    must_close = False
    proxy_protocol_info = None
    _expected_100_continue = False
    # What else the application is to be told.
    marks: Environ | None = None

    def __init__(self, cfg: Any, common: Environ, method: bytes, target: re.Match[str], reading: Reading) -> None:
        self.cfg = cfg
        self._common = common
        self.method = method.decode("ascii")
        self.uri = target[0]
        self.path = target[1]
        self.query = target[2] or ""
        self.fields = reading.headers
        self.content = reading.body

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names in capitals, and values."""
        return list(self.fields.items())

    @property
    def body(self) -> io.BytesIO:
        """The content, to be read from its beginning."""
        return io.BytesIO(self.content)

    def should_close(self) -> bool:
        """Whether the client wants this to be the last one."""
        return self.fields.get("CONNECTION", "").lower() == "close"

    def environ(self) -> Environ:
        """What gunicorn would tell the application of the request (PEP 3333), but for hints sent early."""
        environ = self._common.copy()
        environ["wsgi.input"] = self.body
        environ["REQUEST_METHOD"] = self.method
        environ["RAW_URI"] = self.uri
        environ["QUERY_STRING"] = self.query
        environ["PATH_INFO"] = util.unquote_to_wsgi_str(self.path) if "%" in self.path else self.path
        for name, value in self.fields.items():
            environ[_key(name)] = value
        if self.marks:
            environ.update(self.marks)
        return environ


class Requests(RequestParser):  # type: ignore[misc]
    """The requests of a connection, who hands over what comes and asks gunicorn (``next``) where it ``is_unusual``.

    ``common`` is what the environ of each of them has (``common_environ``).
    """

    def __init__(self, cfg: Any, client: Any, address: Any, common: Environ) -> None:
        super().__init__(cfg, client, address)
        self.unreader = BoundedUnreader(client)
        self.mesg: Any = None
        self.has_unread = False
        self._common = common
        self._reading: Reading | None = None
        self._parser: Any = None
        self._data = b""

    @property
    def has_begun(self) -> bool:
        """Whether the first bytes of the next request are there."""
        return self._reading is not None

    @property
    def is_unusual(self) -> bool:
        """Whether what has begun is no plain request."""
        return self._reading is not None and (not self._reading.is_plain or len(self._data) > MOST_BYTES)

    def take(self, piece: bytes) -> Plain | None:
        """The plain request that is whole with this piece."""
        reading = self._reading
        if reading is None:
            reading = self._reading = Reading()
            self._parser = HttpRequestParser(reading)
        self._data += piece
        try:
            self._parser.feed_data(piece)
        except (HttpParserError, HttpParserUpgrade):
            reading.is_plain = False
        return self._plain(reading) if reading.is_whole and reading.is_plain else None

    def __next__(self) -> Any:
        """What has begun, as gunicorn reads it. Raises its errors for what is no request, and StopIteration."""
        self.unreader.unread(self._data)
        self._forget()
        return super().__next__()

    def whole(self) -> Any:
        """The same with its body read; without it, and as the last (``has_unread``), where that is too long."""
        self.unreader.left = MESSAGE_MAX_BYTES
        request = next(self)
        self.has_unread = not read_body(request, self.unreader.sock)
        return request

    def rest(self) -> bytes:
        """What came behind the last request. Raises StopIteration where nothing may follow it."""
        if self.mesg is not None:
            if self.mesg.should_close() or not self.finish_body():
                raise StopIteration
            self.mesg = None
        rest: bytes = self.unreader.take_buffered()
        return rest

    def _plain(self, reading: Reading) -> Plain | None:
        method, target = self._parser.get_method(), _TARGET.fullmatch(reading.target.decode("latin-1"))
        if target is None or not _is_all(self._data, method, reading):
            reading.is_plain = False
            return None
        self._forget()
        return Plain(self.cfg, self._common, method, target, reading)

    def _forget(self) -> None:
        self._reading = self._parser = None
        self._data = b""


def common_environ(cfg: Any, client: Any, address: tuple[Any, ...], server: tuple[Any, ...]) -> Environ:
    """What the environ of each plain request of a connection has. ``address`` and ``server`` are its two ends."""
    return {
        **base_environ(cfg),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": address[0],
        "REMOTE_PORT": str(address[1]),
        "SCRIPT_NAME": "",
        "gunicorn.socket": client,
        "wsgi.url_scheme": Plain.scheme,
    }


def _is_all(data: bytes, method: bytes, reading: Reading) -> bool:
    """Whether what llhttp found is to the byte what came: one short head, and its body."""
    end = data.find(END)
    is_short = end <= MOST_HEAD and len(reading.headers) <= MOST_FIELDS
    begins = data.startswith(b"%b %b HTTP/1.1\r\n" % (method, reading.target))
    return is_short and begins and len(data) == end + len(END) + len(reading.body)


@lru_cache(maxsize=1_024)
def _name(name: bytes) -> str | None:
    """A header's name as gunicorn tells it; None if the header is for gunicorn to judge."""
    known = name.decode("latin-1").upper()
    return None if "_" in known or known in _UNUSUAL else known


@lru_cache(maxsize=1_024)
def _key(name: str) -> str:
    """A header's key in the environ."""
    key = name.replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
