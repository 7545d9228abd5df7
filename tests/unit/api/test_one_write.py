"""What the quick look at headers lets through is what gunicorn's own lets through."""

import re
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.wsgi import Response

from api.one_write import OneWrite
from api.reply import PHRASES, Reply
from tests.unit.api.test_plain import BUY, Wire, theirs

HEADERS = {
    "what goes with a purchase": [("Content-Type", "application/json"), ("Content-Length", "2"), ("Location", "/a")],
    "spaces around a value": [("Location", " \t/a ")],
    "no value": [("Retry-After", "")],
    "another line in a value": [("Location", "/a\r\nSet-Cookie: a=b")],
    "a bare line end": [("WWW-Authenticate", "a\nb")],
    "a value that is no text": [("Location", 5)],
    "a zero byte": [("Preference-Applied", "a\0b")],
    "a name that is none": [("Loca tion", "/a")],
    "what is for the server to say": [("Connection", "upgrade"), ("Transfer-Encoding", "chunked"), ("Date", "now")],
    "a length that is none": [("Content-Length", "two")],
}


REPLIES = [
    Reply(201, "application/json", {"Location": "/api/v3/purchases/a.b"}, b"{}"),
    Reply(202, "application/json", {"Location": "/a", "Preference-Applied": "respond-async"}, b"{}"),
    Reply(401, "application/problem+json", {"WWW-Authenticate": 'Bearer realm="turnstile"'}, b'{"a":"\xc3\xa4"}'),
    Reply(503, "application/problem+json", {"Retry-After": "2"}, b""),
]


def taken(kind: type[Response], headers: list[tuple[str, Any]]) -> object:
    """What a response makes of them."""
    wire = Wire()
    response = kind(next(theirs(BUY)), wire, Config())
    try:
        response.start_response("201 Created", headers)
    except Exception as error:  # noqa: BLE001 (whatever gunicorn says)
        return type(error)
    return response.headers, response.response_length, response.chunked, response.should_close()


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_headers_are_taken_and_refused_as_by_gunicorn(headers: list[tuple[str, Any]]) -> None:
    assert taken(OneWrite, headers) == taken(Response, headers)


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: str(reply.status))
@pytest.mark.parametrize("is_last", [False, True])
def test_a_reply_looks_as_what_gunicorn_sends(reply: Reply, is_last: bool) -> None:
    wire = Wire()
    response = Response(next(theirs(BUY)), wire, Config())
    if is_last:
        response.force_close()
    response.start_response(PHRASES[reply.status], reply.fields())
    response.write(reply.body)
    response.close()
    assert undated(reply.on_the_wire(is_last=is_last)) == undated(wire.sent)


def undated(answer: bytes) -> bytes:
    return re.sub(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", b"\r\nDate: today\r\n", answer)
