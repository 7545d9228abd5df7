"""The page for people at ``/`` of a role whose views are lists: the first items of each, and where more are."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from streams.runtime.app import App
from streams.runtime.assignment import worker_urls
from streams.runtime.web import Request, Response, add_page, body_of
from streams.runtime.web_document import add_document
from streams.runtime.web_html import html_response, read_template
from streams.runtime.web_operations import WebOperation

# Answers with a page of a list; the path is where another worker is asked for it.
Listed = Callable[[Request, str], Awaitable[Response]]


class ListsPage:
    """The page of one worker, and the document of its ``operations``.

    ``lists`` has each list and its path, by its name in the template.
    """

    def __init__(
        self, app: App, template: Path, lists: Mapping[str, tuple[Listed, str]], operations: Sequence[WebOperation]
    ) -> None:
        self.app = app
        self._template = read_template(template)
        self._lists = lists
        add_page(app, "/", "overview", self.page)
        # Not the last page: Faust's own page, which comes next, is at / too, and aiohttp joins neighbours of one path.
        add_document(app, operations)

    async def page(self, request: Request) -> Response:
        """The page, or the problem that a list has."""
        found: dict[str, Any] = {}
        for name, (listed, path) in self._lists.items():
            answer = await listed(request, path)
            if (body := body_of(answer)) is None:
                return answer
            found[name] = body
        return html_response(self._template, workers=worker_urls(self.app), **found)
