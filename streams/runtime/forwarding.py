"""Asking another worker: the same request once more, within a deadline.

A forwarded request carries a header and is not forwarded again, so requests can't go round in circles.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, TCPConnector
from yarl import URL

from streams.runtime.web import Request, Response, bytes_response
from streams.runtime.web_problems import unavailable

FORWARDED_HEADER: Final = "X-Turnstile-Passed-On"
FORWARD_TIMEOUT_S: Final = 2.0
CONNECTIONS_MAX: Final = 16
REQUEST_HEADERS: Final = ("Authorization", "If-None-Match", "Last-Event-ID")
RESPONSE_HEADERS: Final = ("Content-Type", "ETag", "Retry-After")


class WorkerAnswer(NamedTuple):
    """What another worker has answered."""

    status: int
    body: bytes
    headers: dict[str, str]

    def response(self) -> Response:
        """The same answer to our client."""
        return bytes_response(self.body, self.status, headers=self.headers)


def is_forwarded(request: Request) -> bool:
    """Whether another worker has forwarded the request to this one."""
    return FORWARDED_HEADER in request.headers


def forwarding_session(request: Request, timeout: ClientTimeout, ca: Path | None) -> ClientSession:
    """A session for asking other workers on behalf of ``request``; ``ca`` has the CA of their certificates."""
    headers = {name: request.headers[name] for name in REQUEST_HEADERS if name in request.headers}
    connector = TCPConnector(limit=CONNECTIONS_MAX, ssl=True if ca is None else _trusting(ca))
    return ClientSession(timeout=timeout, connector=connector, headers=headers | {FORWARDED_HEADER: "1"})


@cache
def _trusting(ca: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)


async def ask_worker(session: ClientSession, worker: str, path: str) -> WorkerAnswer:
    """The answer of the worker at an address. Raises RequestProblem if there is none."""
    with told_as_problem():
        async with session.get(worker_address(worker, path)) as answer:
            return await worker_answer(answer)


async def worker_answer(answer: ClientResponse) -> WorkerAnswer:
    """The whole answer, with the headers that our client gets, too."""
    headers = {name: answer.headers[name] for name in RESPONSE_HEADERS if name in answer.headers}
    return WorkerAnswer(answer.status, await answer.read(), headers)


def worker_address(worker: str, path: str) -> URL:
    """Where a worker answers for a path, which is encoded."""
    return URL(f"{worker}{path}", encoded=True)


@contextmanager
def told_as_problem() -> Iterator[None]:
    """Raise RequestProblem for what goes wrong with another worker."""
    try:
        yield
    except (ClientError, TimeoutError) as error:
        raise unavailable("the partition's owner does not answer") from error
