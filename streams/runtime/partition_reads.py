"""Reading partitions of a table for the web views: here where this worker owns the partition, else from its owner.

A request is forwarded once and within a deadline, so requests can't go round in circles.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from yarl import URL

from streams.runtime.app import App
from streams.runtime.assignment import active_partitions, is_recovered, owner_url
from streams.runtime.indexed_table import IndexedTable
from streams.runtime.partitioning import partition_of
from streams.runtime.web import Request, Response, bytes_response, json_response
from streams.runtime.web_problems import RequestProblem, unavailable

FORWARDED_HEADER: Final = "X-Turnstile-Passed-On"
FORWARD_TIMEOUT_S: Final = 2.0
CONNECTIONS_MAX: Final = 16

Read = Callable[[bytes], bytes | None]
Scan = Callable[[bytes], Iterator[tuple[bytes, bytes]]]


class PartitionReads:
    """Where the reads of one table's partitions go."""

    def __init__(self, app: App, table: IndexedTable) -> None:
        self.app = app
        self.table = table
        self.partitions: int = app.settings.partitions

    def home_of(self, key: str) -> int:
        """The partition of a key of the topics: the text of an event's or an account's id."""
        return partition_of(key.encode(), self.partitions)

    def owned(self) -> list[int]:
        """The partitions that this worker owns. Raises RequestProblem while they are being recovered.

        What is not recovered yet would seem not to exist.
        """
        owned = active_partitions(self.app, self.table.name)
        if owned and not is_recovered(self.app):
            raise unavailable("the partition is being recovered")
        return owned

    def check(self, partition: int) -> None:
        """Raise RequestProblem unless the partition can be read here, as after every pause in which it may move."""
        if partition not in self.owned():
            raise unavailable("the partition is moving to another worker")

    def access(self, partition: int) -> tuple[Read, Scan]:
        """How a scan reads a partition: a record by its key, and the entries from a key on."""
        return partial(self.table.read, partition), partial(self.table.scan, partition, b"")

    async def answer(self, request: Request, partition: int, find: Callable[[], Any]) -> Response:
        """The owner's answer: what ``find`` returns, as JSON. The problem not-found where that is None."""
        if partition not in self.owned():
            return await self.forward(request, partition)
        found = find()
        if found is None:
            raise RequestProblem("not-found", f"not known to the table {self.table.name}")
        return json_response(found)

    async def forward(self, request: Request, partition: int) -> Response:
        """The answer of the partition's owner to the same request. Raises RequestProblem where there is none."""
        path = request.rel_url.raw_path_qs
        async with forwarding_session() as session:
            return bytes_response(*await ask(session, self.owner_of(request, partition), path))

    def owner_of(self, request: Request, partition: int) -> str:
        """The address of another worker that owns the partition. Raises RequestProblem where there is none."""
        owner = owner_url(self.app, self.table.name, partition)
        if owner is None or FORWARDED_HEADER in request.headers:
            raise unavailable("the partition is moving to another worker")
        return owner


def forwarding_session(timeout_s: float = FORWARD_TIMEOUT_S) -> ClientSession:
    """A session for requests to other workers."""
    return ClientSession(
        timeout=ClientTimeout(total=timeout_s),
        connector=TCPConnector(limit=CONNECTIONS_MAX),
        headers={FORWARDED_HEADER: "1"},
    )


async def ask(session: ClientSession, worker: str, path: str) -> tuple[bytes, int, str]:
    """Another worker's answer: body, status and content type. Raises RequestProblem if it does not answer."""
    try:
        async with session.get(URL(f"{worker}{path}", encoded=True)) as answer:
            return await answer.read(), answer.status, answer.content_type
    except (ClientError, TimeoutError) as error:
        raise unavailable("the partition's owner does not answer") from error
