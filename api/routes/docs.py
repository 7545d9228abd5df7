"""The OpenAPI document, and Swagger UI from files that this process serves itself."""

from flask import Response, redirect
from flask_openapi3.openapi import OpenAPI
from flask_openapi3_swagger.plugins import RegisterPlugin
from werkzeug.wrappers import Response as BaseResponse

DOCUMENT = "/openapi.json"


def register_docs(app: OpenAPI) -> None:
    """Serve the document at /openapi.json and the page at /docs."""
    app.register_blueprint(RegisterPlugin.register(doc_url=DOCUMENT), url_prefix="/docs")
    app.add_url_rule(DOCUMENT, "openapi_document", lambda: _document(app))
    app.add_url_rule("/docs", "docs", _to_page)


def _document(app: OpenAPI) -> Response:
    return Response(app.json.dumps(app.api_doc), mimetype="application/json")


def _to_page() -> BaseResponse:
    return redirect("/docs/swagger")
