"""Entity tags: reads without a body if nothing has changed (304), and no lost updates (428, 412)."""

from flask import Response, request
from pydantic import BaseModel

from api.problems import Refused
from api.web.responses import answer


def tagged(body: BaseModel, version: int | str, status: int = 200, **headers: str) -> Response:
    """A resource with the ETag of its version; 304 without a body if the client has that version."""
    tag = {"ETag": f'"{version}"'}
    if request.method in ("GET", "HEAD") and request.if_none_match.contains_weak(str(version)):
        return Response(status=304, headers=tag)
    return answer(body, status, headers | tag)


def check_match(version: int) -> None:
    """Refused: precondition-required, precondition-failed. ``If-Match: *`` matches any version."""
    if "If-Match" not in request.headers:
        raise Refused("precondition-required", "send the ETag of what you read as If-Match, or `*`")
    check_match_if_given(version)


def check_match_if_given(version: int) -> None:
    """Refused: precondition-failed."""
    if "If-Match" in request.headers and not request.if_match.contains(str(version)):
        raise Refused("precondition-failed", f"the version is {version} by now; read it again", version=version)
