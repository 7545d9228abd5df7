"""Reading partitions of a table for the web views: here where this worker owns the partition, else from its owner."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from aiohttp import ClientSession, ClientTimeout

from connect.partitioning import partition_of
from streams.runtime.app import App
from streams.runtime.assignment import active_partitions, is_recovered, owner_url
from streams.runtime.forwarding import FORWARD_TIMEOUT_S, ask_worker, forwarding_session, is_forwarded
from streams.runtime.table import OffsetTable
from streams.runtime.web import Request, Response, json_response
from streams.runtime.web_problems import RequestProblem, unavailable

Read = Callable[[bytes], bytes | None]
Scan = Callable[[bytes], Iterator[tuple[bytes, bytes]]]


class PartitionReads:
    """Where the reads of one table's partitions go."""

    def __init__(self, app: App, table: OffsetTable) -> None:
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
        """The owner's answer: what ``find`` returns, as JSON. Raises RequestProblem where that is None."""
        if partition not in self.owned():
            return await self.forward(request, partition)
        return json_response(self.known(find()))

    def known(self, found: Any) -> Any:
        """What was found. Raises RequestProblem where that is None."""
        if found is None:
            raise RequestProblem("not-found", f"not known to the table {self.table.name}")
        return found

    def is_ending(self, request: Request) -> bool:
        """Whether an answer that takes long must end: the client is gone or the worker stops."""
        return bool(self.app.should_stop) or request.transport is None

    async def forward(self, request: Request, partition: int, wait_s: float = 0.0, path: str | None = None) -> Response:
        """The answer of the partition's owner to the same request, or to one for ``path``. Raises RequestProblem."""
        owner = self.owner_of(request, partition)
        async with self.session(request, ClientTimeout(total=FORWARD_TIMEOUT_S + wait_s)) as session:
            answer = await ask_worker(session, owner, path or request.rel_url.raw_path_qs)
        return answer.response()

    def session(self, request: Request, timeout: ClientTimeout) -> ClientSession:
        """A session for asking other workers on behalf of a request."""
        return forwarding_session(request, timeout, self.app.settings.worker_ca)

    def owner_of(self, request: Request, partition: int) -> str:
        """The address of another worker that owns the partition. Raises RequestProblem where there is none."""
        owner = owner_url(self.app, self.table.name, partition)
        if owner is None or is_forwarded(request):
            raise unavailable("the partition is moving to another worker")
        return owner
