"""The contract for Kafka's users, served as files: the AsyncAPI document and the JSON Schemas."""

from typing import Any

import msgspec
from flask import Flask, Response

from connect.contract.asyncapi import document
from connect.contract.schemas import bundle


def register_contract(app: Flask) -> None:
    """Serve /asyncapi.json and /schemas.json."""
    app.add_url_rule("/asyncapi.json", "asyncapi_document", lambda: _json(document()))
    app.add_url_rule("/schemas.json", "schemas_document", lambda: _json(bundle()))


def _json(found: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(found), mimetype="application/json")
