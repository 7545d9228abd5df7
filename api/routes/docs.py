"""The documents of our interfaces: OpenAPI, with Swagger UI from local files, AsyncAPI and JSON Schemas."""

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
from flask import Response, redirect
from flask_openapi3.openapi import OpenAPI
from flask_openapi3_swagger.plugins import RegisterPlugin
from pydantic.json_schema import GenerateJsonSchema as JsonSchema

from api.roles import Permission
from api.schemas.seating import NewSeating
from api.web.permissions import permission_of
from api.web.raw_response import JSON
from api.web.responses import describe_problems
from connect.contract import asyncapi
from connect.contract.schemas import bundle

DOCUMENT: Final = "/openapi.json"
SEATING_SCHEMA: Final = "/seating.schema.json"
# Rendered by the plugin with the document's URL.
PAGE: Final = Path(__file__).with_name("swagger.html").read_text(encoding="utf-8")
SECURITY: Final[dict[str, Any]] = {
    "token": {"type": "http", "scheme": "bearer", "description": "the `token` that signing in gives"}
}
_INLINE: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_POLICY: Final = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_BY_ACCESS: Final[dict[Permission, tuple[list[dict[str, Any]], tuple[str, ...]]]] = {
    Permission.NOBODY: ([], ()),
    Permission.ANYONE: ([{}, {"token": []}], ("unauthorized",)),
    Permission.SIGNED_IN: ([{"token": []}], ("unauthorized", "forbidden")),
    Permission.ORGANIZER: ([{"token": []}], ("unauthorized", "forbidden")),
    Permission.ADMINISTRATOR: ([{"token": []}], ("unauthorized", "forbidden")),
}


def register_docs(app: OpenAPI) -> None:
    """Serve the documents, the page at /docs, and the JSON Schema of a seating plan."""
    app.config["SWAGGER_HTML_STRING"] = PAGE
    pages = RegisterPlugin.register(doc_url=DOCUMENT)
    pages.after_request(_limit)
    app.register_blueprint(pages, url_prefix="/docs")
    app.add_url_rule(DOCUMENT, "openapi_document", lambda: Response(app.json.dumps(document(app)), mimetype=JSON))
    app.add_url_rule("/docs", "docs", lambda: redirect("/docs/swagger"))
    app.add_url_rule(SEATING_SCHEMA, "seating_schema", _seating_schema)
    app.add_url_rule("/asyncapi.json", "asyncapi_document", lambda: _json(asyncapi.document()))
    app.add_url_rule("/schemas.json", "schemas_document", lambda: _json(bundle()))


def document(app: OpenAPI) -> dict[str, Any]:
    """The document, with the permissions of every operation."""
    found: dict[str, Any] = app.api_doc
    if "security" not in found:
        found["security"] = []
        for operation in _operations(found):
            operation["security"], refusals = _BY_ACCESS[permission_of(operation["operationId"])]
            describe_problems(operation["responses"], *refusals)
    return found


def _operations(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in found["paths"].values():
        yield from path.values()


def _seating_schema() -> Response:
    schema = {"$schema": JsonSchema.schema_dialect, **NewSeating.model_json_schema(schema_generator=JsonSchema)}
    return _json(schema, "application/schema+json")


def _json(found: dict[str, Any], media_type: str = JSON) -> Response:
    return Response(msgspec.json.encode(found), mimetype=media_type)


def _limit(page: Response) -> Response:
    """Allow the inline script and styles of Swagger UI's page, and no other script."""
    if page.mimetype == "text/html" and (scripts := _INLINE.findall(page.get_data())):
        hashes = " ".join(f"'sha256-{b64encode(sha256(each).digest()).decode()}'" for each in scripts)
        page.headers["Content-Security-Policy"] = f"script-src 'self' {hashes}; {_POLICY}"
    return page
