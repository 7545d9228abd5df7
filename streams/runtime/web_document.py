"""The OpenAPI 3.1 document of the web views, from the operations and the types of their answers."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

import msgspec

from connect.contract.schemas import schemas_of
from streams.runtime.app import App
from streams.runtime.web import Request, Response, add_page, bytes_response
from streams.runtime.web_operations import IF_NONE_MATCH, WAIT_QUERY, WebOperation
from streams.runtime.web_problems import MEDIA_TYPE, VIEW_PROBLEMS

REF_TEMPLATE: Final = "#/components/schemas/{name}"
TITLE: Final = "Turnstile's views"
DESCRIPTION: Final = (
    "What the tables of the workers have. A tag is a role: any of its workers answers for all records. "
    "Read only; a request needs a read token where the views don't listen on loopback alone."
)
# Of the path; the others are ids.
TEXT_PARTS: Final = ("events", "partition", "purchases", "section")
PROBLEM_SCHEMA: Final = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "enum": [f"/problems/{kind}" for kind in VIEW_PROBLEMS]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail", "pointer"],
                "properties": {"detail": {"type": "string"}, "pointer": {"type": "string"}},
            },
        },
    },
}


def add_document(app: App, operations: Sequence[WebOperation]) -> None:
    """Show the document of one role's views, made for the first request; docs/views.json has those of all."""

    @cache
    def body() -> bytes:
        return msgspec.json.encode(document(operations))

    async def page(request: Request) -> Response:
        return bytes_response(body())

    add_page(app, "/openapi.json", "openapi", page)


def document(operations: Sequence[WebOperation]) -> dict[str, Any]:
    """The whole document."""
    types = [each.answer for each in operations]
    schemas, components = schemas_of(types, REF_TEMPLATE)
    paths = {each.path: {"get": _get(each, schema)} for each, schema in zip(operations, schemas, strict=True)}
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1", "description": DESCRIPTION},
        "security": [{}, {"bearer": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": components | {"Problem": PROBLEM_SCHEMA},
            "responses": dict(_problems()),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _get(operation: WebOperation, schema: dict[str, Any]) -> dict[str, Any]:
    ok: dict[str, Any] = {
        "description": "The answer.",
        "content": {operation.media_type: {"schema": schema, "example": operation.example}},
    }
    responses = {"200": ok} | {str(row.status): _reference(str(row.status)) for row in VIEW_PROBLEMS.values()}
    query = list(operation.query)
    if operation.has_revision:
        ok["headers"] = {"ETag": {"description": "changes with the answer", "schema": {"type": "string"}}}
        responses["304"] = {"description": "Nothing has changed since the `ETag` in `If-None-Match`."}
        query += [WAIT_QUERY, IF_NONE_MATCH]
    return {
        "operationId": operation.name,
        "tags": [operation.role],
        "summary": operation.summary,
        "parameters": [*_path_parameters(operation.path), *query],
        "responses": responses,
    }


def _path_parameters(path: str) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", path):
        schema = {"type": "string"} if name in TEXT_PARTS else {"type": "string", "format": "uuid"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _problems() -> Iterable[tuple[str, Any]]:
    """A response for each status that a problem has."""
    for status in sorted({row.status for row in VIEW_PROBLEMS.values()}):
        rows = [(kind, row) for kind, row in VIEW_PROBLEMS.items() if row.status == status]
        text = "; ".join(f"`{kind}`: {row.when}" for kind, row in rows)
        yield (
            str(status),
            {
                "description": text,
                "content": {MEDIA_TYPE: {"schema": {"$ref": REF_TEMPLATE.format(name="Problem")}}},
            },
        )


def _reference(status: str) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{status}"}
