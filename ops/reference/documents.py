"""The JSON documents of docs/, made from the code: the REST API, the workers' views, the topics and their schemas."""

import json
from typing import Any, Final, cast

from api.app import create_app
from api.ports.ports import Ports
from api.routes.docs import document as rest_document
from connect.contract.asyncapi import document as topics_document
from connect.contract.schemas import bundle
from ops.reference.generated import ROOT, page_command
from streams.gate.views.operations import OPERATIONS as GATE_OPERATIONS
from streams.inventory.views.operations import OPERATIONS as LEDGER_OPERATIONS
from streams.mail.views.operations import OPERATIONS as MAIL_OPERATIONS
from streams.payments.views.operations import OPERATIONS as PAYMENT_OPERATIONS
from streams.runtime.web_document import document as views_document

FOLDER: Final = ROOT / "docs"
OPERATIONS: Final = (*LEDGER_OPERATIONS, *MAIL_OPERATIONS, *PAYMENT_OPERATIONS, *GATE_OPERATIONS)


def openapi_page() -> str:
    """docs/openapi.json, its keys in order so that differences are readable. No server is needed for it."""
    return _page(rest_document(create_app(cast("Ports", None))), sort_keys=True)


def views_page() -> str:
    """docs/views.json, its keys in order."""
    return _page(views_document(OPERATIONS), sort_keys=True)


def asyncapi_page() -> str:
    """docs/asyncapi.json."""
    return _page(topics_document())


def schemas_page() -> str:
    """docs/schemas.json."""
    return _page(bundle())


def _page(document: dict[str, Any], *, sort_keys: bool = False) -> str:
    return json.dumps(document, indent=2, sort_keys=sort_keys, ensure_ascii=False) + "\n"


openapi = page_command("openapi", FOLDER / "openapi.json", openapi_page)
views = page_command("views", FOLDER / "views.json", views_page)
asyncapi = page_command("asyncapi", FOLDER / "asyncapi.json", asyncapi_page)
schemas = page_command("schemas", FOLDER / "schemas.json", schemas_page)
