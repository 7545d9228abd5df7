"""Responses of routes, and their description in the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from api.problem_kinds import PROBLEMS
from api.problems import MEDIA_TYPE
from api.schemas.base import Resource

BASE = "/api/v3"
ALWAYS = ("internal-error", "unavailable")
WITH_MATCH = ("precondition-required", "precondition-failed")
IF_MATCH: dict[str, Any] = {
    "parameters": [
        {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "description": "the `ETag` of what was read, or `*` for whatever there is",
            "schema": {"type": "string", "examples": ["*"]},
        }
    ]
}
WITH_BODY = ("malformed-request", "body-too-large", "unsupported-media-type", "invalid-input")


class WrongField(Resource):
    """One wrong field of a request."""

    detail: str
    pointer: str = Field(description="JSON pointer into the body, or `?name` of a parameter")


class Problem(Resource):
    """Why a request was not granted (RFC 9457)."""

    type: str = Field(examples=["/problems/sold-out"])
    title: str
    status: int
    detail: str | None = None
    errors: list[WrongField] | None = None


def blueprint(name: str, tag: str) -> APIBlueprint:
    """A blueprint of operations that have the names of their functions and are listed under ``tag``."""

    def operation_id(*, name: str, path: str, method: str) -> str:
        return name

    tags = [Tag(name=tag)]
    return APIBlueprint(name, __name__, url_prefix=BASE, abp_tags=tags, operation_id_callback=operation_id)


def answer(body: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A resource as JSON, without what is None."""
    text = body.model_dump_json(by_alias=True, exclude_none=True)
    return Response(text, status, headers, mimetype="application/json")


def answers(good: Mapping[int, type[BaseModel] | None], *kinds: str) -> dict[Any, Any]:
    """The description of an operation's responses by status: the successful ones, and problems of the table."""
    described: dict[Any, Any] = dict(good)
    describe_problems(described, *kinds, *ALWAYS)
    return {str(status): description for status, description in described.items()}


def describe_problems(described: dict[Any, Any], *kinds: str) -> None:
    """Add problems to the responses of an operation, each under its status."""
    for kind in kinds:
        content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}
        known = described.setdefault(str(PROBLEMS[kind].status), {"description": "", "content": content})
        if f"`{kind}`" not in known["description"]:
            known["description"] = ", ".join(filter(None, (known["description"], f"`{kind}`")))
