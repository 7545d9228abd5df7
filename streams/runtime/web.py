"""Pages of a worker's web server, by Faust's types."""

from collections.abc import Awaitable, Callable

from faust.types.web import Request, Response, View

from streams.runtime.app import App

Answer = Callable[..., Awaitable[Response]]

__all__ = ["Answer", "Request", "Response", "View", "add_page"]


def add_page(app: App, path: str, name: str, answer: Answer) -> None:
    """Serve ``answer(view, request, **parts)`` under ``path``, with what its placeholders matched as ``parts``."""

    # Faust makes a class of the handler, so it must be a plain function.
    async def get(view: View, request: Request, **parts: str) -> Response:
        return await answer(view, request, **parts)

    app.page(path, name=name)(get)
