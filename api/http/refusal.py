"""The answers with which the server refuses by itself, before the application gets a request."""

from functools import cache
from http import HTTPStatus
from typing import Final

from httptools import HttpParserError

from api.problems import BUSY_FOR_S, MEDIA_TYPE, PROBLEMS, problem_json
from api.web.raw_response import RawResponse

RETRY_LATER: Final = {"Retry-After": str(BUSY_FOR_S)}


class Refusal(Exception):
    """A request that is refused; ``kind`` is a row of PROBLEMS."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def kind_of(error: HttpParserError) -> str:
    """Why a request can't be parsed: a callback's own refusal, or an error of llhttp."""
    return error.__context__.kind if isinstance(error.__context__, Refusal) else "malformed-request"


@cache
def refusal_bytes(kind: str) -> bytes:
    """The answer on the wire, after which the connection ends."""
    status = PROBLEMS[kind].status
    more = RETRY_LATER if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    reply = RawResponse(status, MEDIA_TYPE, {"Connection": "close", **more}, problem_json(kind))
    lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode())]
    lines += [b"%b: %b" % field for field in reply.fields()]
    return b"\r\n".join(lines) + b"\r\n\r\n" + reply.body
