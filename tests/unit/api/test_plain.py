"""The quick reader of requests: whatever comes, it says what gunicorn's own parser would have said."""

from contextlib import suppress
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import create
from hypothesis import example, given
from hypothesis import strategies as st

from api.plain import MOST_BYTES, Plain, Requests, common_environ

CONFIG = Config()
PEER = ("127.0.0.1", 4711)
HERE = ("127.0.0.1", 8080)
# What is an object of this very request, or a service that the application does not use.
OBJECTS = {"wsgi.input", "wsgi.errors", "wsgi.early_hints", "gunicorn.socket"}
HEAD = b"Host: a\r\nContent-Type: application/json\r\n"
BUY = b"POST /api/v3/purchases HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\n\r\n{}"


class Wire:
    """A connection on which these pieces come, and then its end."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = [piece for piece in pieces if piece]
        self.sent = b""

    def recv(self, size: int) -> bytes:
        """The next piece, or as much of it as is asked for."""
        if not self.pieces:
            return b""
        piece, rest = self.pieces[0][:size], self.pieces[0][size:]
        self.pieces[:1] = [rest] if rest else []
        return piece

    def send(self, data: bytes) -> int:
        """Let the other end wait for nothing."""
        self.sent += data
        return len(data)

    def sendall(self, data: bytes) -> None:
        """The same."""
        self.send(data)


class Ours:
    """The requests of a connection as api/connection.py comes by them."""

    def __init__(self, *pieces: bytes) -> None:
        self.wire = Wire(*pieces)
        self.requests = Requests(CONFIG, self.wire, PEER, common_environ(CONFIG, self.wire, PEER, HERE))
        self.rest = b""

    def __iter__(self) -> "Ours":
        return self

    def __next__(self) -> Any:
        requests = self.requests
        self.rest += requests.rest()
        while piece := self.rest or self.wire.recv(8_192):
            self.rest = b""
            request = requests.take(piece)
            if request is not None:
                return request
            if requests.is_unusual:
                break
        if not requests.has_begun:
            raise StopIteration
        return next(requests)


def told(parser: RequestParser | Ours) -> list[object]:
    """What a parser says of each request of its connection."""
    said: list[object] = []
    while True:
        try:
            request = next(parser)
            body = request.body.read()
        except StopIteration:
            return said
        except (ParseException, OSError) as error:
            return [*said, type(error)]
        facts = (request.method, request.uri, request.path, request.query, request.version, request.scheme)
        expected = request._expected_100_continue
        said.append((*facts, sorted(request.headers), body, request.should_close(), expected, environ(request)))


def environ(request: Any) -> dict[str, Any]:
    """What the application is told of it."""
    told = request.environ() if isinstance(request, Plain) else create(request, Wire(), PEER, HERE, CONFIG)[1]
    return {key: value for key, value in told.items() if key not in OBJECTS}


def theirs(*pieces: bytes) -> RequestParser:
    return RequestParser(CONFIG, Wire(*pieces), PEER)


PLAIN = {
    "a purchase": BUY,
    "a look": b"GET /api/v3/events/1?limit=5&q=a%20b HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    "a path with signs": b"GET /a%20b/%C3%A4?q=%C3%A4 HTTP/1.1\r\nHost: a\r\nCONTENT-TYPE: a\r\n\r\n",
    "the last of a connection": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "spaces around a value": b"GET / HTTP/1.1\r\nHost:  \t a \t \r\n\r\n",
    "bytes that are no ASCII": b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: \xc3\xa4\r\n\r\n",
    "no value": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
}
UNUSUAL = {
    "two at once": BUY + BUY,
    "a beginning of another": BUY + b"GET",
    "an empty line behind": BUY + b"\r\n",
    "an empty line before": b"\r\n" + BUY,
    "two empty lines before": b"\r\n\r\n" + BUY,
    "chunks": b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks and a length": b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length and chunks": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "chunks that are hidden": b"POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\nContent-Length: 2\r\n\r\n{}",
    "chunks under another name": b"POST / HTTP/1.1\r\nTransfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths": b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "the same length twice": b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a length with a sign": b"POST / HTTP/1.1\r\nContent-Length: +2\r\n\r\n{}",
    "a list of lengths": b"POST / HTTP/1.1\r\nContent-Length: 2, 2\r\n\r\n{}",
    "a negative length": b"POST / HTTP/1.1\r\nContent-Length: -2\r\n\r\n{}",
    "a space before the colon": b"POST / HTTP/1.1\r\nContent-Length : 2\r\n\r\n{}",
    "a folded line": b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
    "bare line ends": b"GET / HTTP/1.1\nHost: a\n\n",
    "one bare line end": b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "a bare return": b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
    "a zero byte": b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
    "a deleted character": b"GET / HTTP/1.1\r\nHost: a\x7fb\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a name with an underscore": b"GET / HTTP/1.1\r\nX_Forwarded_For: a\r\n\r\n",
    "a wish to go on": b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    "another wish": b"POST / HTTP/1.1\r\nExpect: miracles\r\nContent-Length: 2\r\n\r\n{}",
    "another protocol": b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "an old version": b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    "a new version": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "a whole address": b"GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    "two slashes": b"GET //a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "an address that is no ASCII": b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel": b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    "everything": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "an unknown method": b"BUY / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a small method": b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "too many headers": b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(200)) + b"\r\n",
    "too long a header": b"GET / HTTP/1.1\r\nX: " + 9_000 * b"a" + b"\r\n\r\n",
    "too long an address": b"GET /" + 9_000 * b"a" + b" HTTP/1.1\r\n\r\n",
    "a long body": b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + 100_000 * b" ",
    "half a head": b"GET / HTTP/1.1\r\nHost",
    "half a body": b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{}",
    "a handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "nothing": b"",
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_a_plain_request_is_read_as_gunicorn_reads_it(data: bytes) -> None:
    assert isinstance(next(Ours(data)), Plain)
    assert told(Ours(data)) == told(theirs(data))


@pytest.mark.parametrize("data", UNUSUAL.values(), ids=UNUSUAL)
def test_an_unusual_request_is_left_to_gunicorn(data: bytes) -> None:
    with suppress(StopIteration, ParseException, OSError):
        assert not isinstance(next(Ours(data)), Plain)
    assert told(Ours(data)) == told(theirs(data))


@pytest.mark.parametrize("cut", range(1, len(BUY)))
def test_a_request_may_come_in_pieces(cut: int) -> None:
    requests = Ours(BUY[:cut], BUY[cut:])
    assert isinstance(next(requests), Plain)
    assert told(Ours(BUY[:cut], BUY[cut:])) == told(theirs(BUY))


def test_a_connection_brings_plain_and_unusual_requests_in_turn() -> None:
    chunked = UNUSUAL["chunks"]
    assert [isinstance(request, Plain) for request in Ours(BUY, chunked, BUY, BUY)] == [True, False, True, True]
    assert told(Ours(BUY, chunked, BUY, BUY)) == told(theirs(BUY, chunked, BUY, BUY))


def test_no_more_than_a_bounded_body_is_read_ahead() -> None:
    requests = Ours(b"POST / HTTP/1.1\r\nContent-Length: 10000000\r\n\r\n", 10_000_000 * b" ")
    next(requests)
    assert 10_000_000 - sum(map(len, requests.wire.pieces)) <= MOST_BYTES + 8_192


PIECES = st.sampled_from(
    [
        *(b"\r\n", b"\n", b"\r", b" ", b":", b"\t", b"\0", b"\x7f", b"\xff", b"\r\n\r\n"),
        *(b"/", b"0", b"2", b"{}", b"A", b"_", b"Content-Length: 2\r\n", b"Connection: close\r\n"),
        *(b"GET / HTTP/1.1\r\n", b"POST /a?b HTTP/1.1\r\n", b"Host: a\r\n"),
        *(b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Content-Length:", b"HTTP/1.0", BUY),
    ]
)


@given(st.lists(PIECES, max_size=12).map(b"".join), st.integers(0, 60))
@example(BUY, 1)
def test_nothing_is_read_otherwise_than_by_gunicorn(data: bytes, cut: int) -> None:
    assert told(Ours(data[:cut], data[cut:])) == told(theirs(data[:cut], data[cut:]))


@given(st.integers(0, len(BUY)), st.integers(0, 4), PIECES)
def test_a_purchase_with_a_fault_is_read_as_by_gunicorn(place: int, length: int, fault: Any) -> None:
    data = BUY[:place] + fault + BUY[place + length :]
    assert told(Ours(data)) == told(theirs(data))
