"""From an error to its problem. Nothing of the error's own text, query or stack gets out."""

import logging
from typing import Any

from flask import Flask, Response, make_response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from api.problems import MEDIA_TYPE, Fault, Refused, Unavailable
from api.web.raw_response import Reply, problem, refused, unavailable
from telemetry.rate_limited import RateLimitedLog

log = logging.getLogger(__name__)
outages = RateLimitedLog(log)

_BY_STATUS = {
    400: "malformed-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "unsupported-media-type",
}


def register_failures(app: Flask) -> None:
    """Let every error of ``app`` end as a problem."""
    app.register_error_handler(Refused, lambda error: _flask(refused(error)))
    app.register_error_handler(Unavailable, _unavailable)
    app.register_error_handler(HTTPException, plain_http)
    app.register_error_handler(Exception, lambda error: _flask(unexpected(error, request.path)))


def invalid(error: ValidationError) -> Response:
    """The answer for fields that are missing or wrong."""
    return _flask(problem("invalid-input", faults_of(error)))


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """The fields that are missing or wrong, each with what is wrong with it."""
    prefix = _prefix(error.title)
    return tuple(
        Fault(str(item["msg"]).removeprefix("Value error, "), prefix(item["loc"]))
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    )


def _prefix(model: str) -> Any:
    if model.endswith("Query"):
        return lambda loc: f"?{loc[0]}" if loc else "?"
    return pointer


def pointer(loc: tuple[int | str, ...]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in loc)


def tell_outage(error: Unavailable) -> None:
    """Say in the log, twice a minute at most, which server was missed and by what error."""
    cause = f" ({type(error.__cause__).__name__})" if error.__cause__ else ""
    outages.warning(error.server, "%s %s: %s%s", request.method, request.path, error, cause)


def _unavailable(error: Unavailable) -> Response:
    tell_outage(error)
    return _flask(unavailable(error))


def plain_http(error: HTTPException) -> Response:
    """The answer for what the framework refuses."""
    if error.response is not None:
        return make_response(error.response)
    code = error.code or 500
    if code < 400:
        return make_response(error.get_response())
    kind = _BY_STATUS.get(code)
    answer = _flask(problem(kind)) if kind else _plain(error, code)
    if allowed := getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _plain(error: HTTPException, code: int) -> Response:
    body = {"type": "about:blank", "title": error.name, "status": code}
    answer = make_response(body, code)
    answer.mimetype = MEDIA_TYPE
    return answer


def _flask(answer: Reply) -> Response:
    return Response(answer.body, answer.status, answer.headers, mimetype=answer.media_type)


def unexpected(error: Exception, path: str) -> Reply:
    """The answer for what nobody expected: the log has it, the answer nothing of it."""
    log.error("%s failed", path, exc_info=error)
    return problem("internal-error")
