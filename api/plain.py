"""A connection's requests, one after the other: those that come as most do are read by llhttp, all others by gunicorn.

Plain is what has a short head without anything unusual and a body of told length, with nothing behind it. What is not
plain goes to gunicorn's parser as it came, so that there is one judge of what is refused, and how.
"""

import io
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from gunicorn import util
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import base_environ
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

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

    def __init__(self, cfg: Any, common: Environ, method: bytes, target: re.Match[str], reading: Reading) -> None:
        self.cfg = cfg
        self._common = common
        self.method = method.decode("ascii")
        self.uri = target[0]
        self.path = target[1]
        self.query = target[2] or ""
        self.headers = list(reading.headers.items())
        self.body = io.BytesIO(reading.body)

    def environ(self) -> Environ:
        """What gunicorn would tell the application of the request (PEP 3333), but for hints sent early."""
        environ = self._common.copy()
        environ["wsgi.input"] = self.body
        environ["REQUEST_METHOD"] = self.method
        environ["RAW_URI"] = self.uri
        environ["QUERY_STRING"] = self.query
        environ["PATH_INFO"] = util.unquote_to_wsgi_str(self.path) if "%" in self.path else self.path
        for name, value in self.headers:
            environ[_key(name)] = value
        return environ


class Requests(RequestParser):  # type: ignore[misc]
    """The requests of a connection. ``began`` is called when the first bytes of one are there.

    ``common`` is what the environ of each of them has (``common_environ``).
    """

    def __init__(self, cfg: Any, client: Any, address: Any, began: Callable[[], None], common: Environ) -> None:
        super().__init__(cfg, client, address)
        self._began = began
        self._common = common
        self.mesg: Any = None

    def __next__(self) -> Any:
        """The next request. Raises StopIteration after the last, and gunicorn's errors for what is none."""
        if not self._is_read():
            raise StopIteration
        plain = self._plain()
        if plain is None:
            return super().__next__()
        self.req_count += 1
        self.mesg = plain
        return plain

    def _is_read(self) -> bool:
        """Whether the request before was read to its end, and was not the last."""
        if self.mesg is None or isinstance(self.mesg, Plain):
            return True
        return not self.mesg.should_close() and self.finish_body()

    def _plain(self) -> Plain | None:
        """The next request; None if it is not plain, and what was read of it is to be read again."""
        reading, data = Reading(), b""
        parser = HttpRequestParser(reading)
        try:
            while reading.is_plain and not reading.is_whole and len(data) <= MOST_BYTES:
                piece = self.unreader.read()
                if not piece:
                    break
                self._began()
                data += piece
                parser.feed_data(piece)
        except (HttpParserError, HttpParserUpgrade):
            reading.is_plain = False
        if reading.is_plain and reading.is_whole:
            method, target = parser.get_method(), _TARGET.fullmatch(reading.target.decode("latin-1"))
            if target is not None and _is_all(data, method, reading):
                return Plain(self.cfg, self._common, method, target, reading)
        self.unreader.unread(data)
        return None


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
