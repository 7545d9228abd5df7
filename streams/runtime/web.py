"""Pages of a worker's web server, with aiohttp's requests and responses."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from aiohttp.web import Request
from aiohttp.web import Response as BytesResponse
from aiohttp.web import StreamResponse as Response

from streams.runtime.app import App

OK: Final = 200

Answer = Callable[..., Awaitable[Response]]

__all__ = ["OK", "Answer", "Request", "Response", "add_page", "body_of", "bytes_response", "json_response"]


def add_page(app: App, path: str, name: str, answer: Answer) -> None:
    """Serve ``answer(request, **parts)`` under ``path``, with what its placeholders matched as ``parts``."""

    # Faust makes a class of the handler, so it must be a plain function.
    async def get(view: Any, request: Any, **parts: str) -> Any:
        return await answer(request, **parts)

    app.page(path, name=name)(get)


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with ``body``, anything that msgspec encodes."""
    return bytes_response(msgspec.json.encode(body), status, headers=headers)


def bytes_response(
    body: bytes, status: int = 200, content_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> Response:
    """An answer with an encoded body."""
    return BytesResponse(body=body, status=status, headers={"Content-Type": content_type, **(headers or {})})


def body_of(answer: Response) -> Any:
    """What an answer of ours has as JSON; None if it is a problem, or has no whole body."""
    if not isinstance(answer, BytesResponse) or answer.status != OK or not isinstance(answer.body, bytes):
        return None
    return msgspec.json.decode(answer.body)
