"""The view of the OpenAPI document."""

from typing import Final

import msgspec

from streams.inventory.views.operations import OPERATIONS
from streams.runtime.app import App
from streams.runtime.web import Request, Response, add_page, bytes_response
from streams.runtime.web_document import document

DOCUMENT: Final = msgspec.json.encode(document(OPERATIONS))


class DocumentView:
    """The document, which is the same as docs/views.json."""

    def __init__(self, app: App) -> None:
        add_page(app, "/openapi.json", "openapi", self.page)

    async def page(self, request: Request) -> Response:
        """The document."""
        return bytes_response(DOCUMENT)
