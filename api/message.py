"""A request that gunicorn reads, taken off the connection whole before the application is asked.

What is incomplete never gets to the application (RFC 9112, section 8). What is too long gets there without its body
and with a length that the application refuses, and is the connection's last. Both the bytes and the time of a request
have a bound, and after each piece it is everybody else's turn.
"""

import io
from typing import Any, Final

import gevent
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import InvalidHeader, LimitRequestHeaders, NoMoreData
from gunicorn.http.unreader import SocketUnreader

# As much as any route takes (api/guard.py).
BODY_MAX_BYTES: Final = 64 * 1024
# Of one request, with its head and with what chunks add to its body.
MESSAGE_MAX_BYTES: Final = 2 * BODY_MAX_BYTES
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Incomplete(InvalidHeader):  # type: ignore[misc]
    """The connection ended before the body did. gunicorn answers 400."""

    def __str__(self) -> str:
        """What the client is told."""
        return "The body is incomplete"


class BoundedUnreader(SocketUnreader):  # type: ignore[misc]
    """What comes on a socket. Raises LimitRequestHeaders when one request has had its ``MESSAGE_MAX_BYTES``."""

    left = MESSAGE_MAX_BYTES

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next piece of the request."""
        if self.left <= 0:
            raise LimitRequestHeaders(f"more than {MESSAGE_MAX_BYTES} bytes")
        gevent.sleep(0)
        piece: bytes = super().chunk(size_hint)
        self.left -= len(piece)
        return piece


def read_body(request: Any, client: Any) -> bool:
    """Read all of the body and return True; where it is too long, leave it out and return False.

    A body in chunks has its length told as any other. Raises Incomplete, and gunicorn's errors for what are no chunks.
    """
    declared = request.body.reader.length if isinstance(request.body.reader, LengthReader) else None
    is_readable = declared is None or declared <= BODY_MAX_BYTES
    content = _content(request, client, declared or 0) if is_readable else None
    if declared is None:
        _declare(request, BODY_MAX_BYTES + 1 if content is None else len(content))
    if content is None:
        request.force_close()
    # It was said, or it won't be: gunicorn would say it when the application is asked.
    request._expected_100_continue = False  # noqa: SLF001
    request.body = io.BytesIO(content or b"")
    return content is not None


def _content(request: Any, client: Any, declared: int) -> bytes | None:
    """The body, of so many bytes at least; None where it is too long."""
    if request._expected_100_continue:  # noqa: SLF001
        client.sendall(_CONTINUE)
    try:
        content: bytes = request.body.read(BODY_MAX_BYTES + 1)
    except NoMoreData as error:
        raise Incomplete("TRANSFER-ENCODING") from error
    except LimitRequestHeaders:
        return None
    if len(content) < declared:
        raise Incomplete("CONTENT-LENGTH")
    return content if len(content) <= BODY_MAX_BYTES else None


def _declare(request: Any, length: int) -> None:
    """Tell the length of a body that came in chunks (RFC 9112, section 7.1.3)."""
    others = [(name, value) for name, value in request.headers if name not in ("TRANSFER-ENCODING", "TRAILER")]
    request.headers = [*others, ("CONTENT-LENGTH", str(length))]
