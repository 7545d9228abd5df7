"""What the quick look at headers lets through is what gunicorn's own lets through."""

from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.wsgi import Response

from api.one_write import OneWrite
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
