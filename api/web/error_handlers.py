"""Turns errors into problems (RFC 9457), without their text, query or stack."""

from typing import Any

from flask import Flask, Response, make_response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from api.problems import MEDIA_TYPE, Fault, Refused, Unavailable
from api.schemas.base import errors_of
from api.web.raw_response import RawResponse, problem, refused, unavailable, unexpected

_BY_STATUS = {
    400: "malformed-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "unsupported-media-type",
}


def register_error_handlers(app: Flask) -> None:
    """Answer every error of ``app`` with a problem."""
    app.register_error_handler(Refused, lambda error: _flask(refused(error)))
    app.register_error_handler(Unavailable, _unavailable)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, lambda error: _flask(unexpected(error, request.path)))


def invalid(error: ValidationError) -> Response:
    """The answer to a body or query with invalid fields."""
    return _flask(problem("invalid-input", faults_of(error)))


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """The invalid fields and what is wrong with each."""
    prefix = _prefix(error.title)
    return tuple(
        Fault(str(item["msg"]).removeprefix("Value error, "), prefix(item["loc"])) for item in errors_of(error)
    )


def _prefix(model: str) -> Any:
    if model.endswith("Query"):
        return lambda loc: f"?{loc[0]}" if loc else "?"
    return pointer


def pointer(loc: tuple[int | str, ...]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in loc)


def _unavailable(error: Unavailable) -> Response:
    return _flask(unavailable(error, f"{request.method} {request.path}"))


def http_error(error: HTTPException) -> Response:
    """The answer to what the framework refuses."""
    if error.response is not None:
        return make_response(error.response)
    code = error.code or 500
    if code < 400:
        return make_response(error.get_response())
    kind = _BY_STATUS.get(code)
    answer = _flask(problem(kind)) if kind else _without_type(error, code)
    if allowed := getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _without_type(error: HTTPException, code: int) -> Response:
    body = {"type": "about:blank", "title": error.name, "status": code}
    answer = make_response(body, code)
    answer.mimetype = MEDIA_TYPE
    return answer


def _flask(answer: RawResponse) -> Response:
    return Response(answer.body, answer.status, answer.headers, mimetype=answer.media_type)
