"""The web views of the ledger's workers. Any worker answers for all, so the next is asked if one can't."""

import ssl
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx
import msgspec

from api.problems import Unavailable
from connect.partitioning import home_of
from settings import Settings
from tables.messages.availability import Availability
from tables.messages.commands import DefineEvent
from telemetry.call_deadlines import TimedTransport

WORKER: Final = "worker"
TIMEOUT: Final = httpx.Timeout(2.5, connect=1.0)
SILENT_PAUSE_S: Final = 5.0
View = TypeVar("View")


class TypeView(msgspec.Struct, frozen=True, rename="camel"):
    """What is read of the ledger's view of a ticket type."""

    ticket_type: UUID
    state: Availability
    available: int
    held: int
    sold: int


class StockView(msgspec.Struct, frozen=True, rename="camel"):
    """What is read of the ledger's view of an event."""

    ticket_types: list[TypeView]


_objects: Final = msgspec.json.Decoder(dict[str, Any])
_stocks: Final = msgspec.json.Decoder(StockView)
_ids: Final = msgspec.json.Decoder(set[UUID])
_definitions: Final = msgspec.json.Decoder(list[DefineEvent])


class AnyWorker(httpx.BaseTransport):
    """Sends a request to the worker that answered last, then to the others in turn until one answers.

    One that took its whole time without an answer is not asked for SILENT_PAUSE_S, unless all are like that.
    """

    def __init__(
        self,
        urls: Sequence[str],
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._urls = [httpx.URL(url) for url in urls]
        self._transport = transport or TimedTransport()
        self._clock = clock
        self._last = 0
        self._asked_from = [float("-inf")] * len(urls)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The first answer that is not 503; else the answer or error of the last worker."""
        everybody = list(islice(cycle(range(len(self._urls))), self._last, self._last + len(self._urls)))
        now = self._clock()
        turns = [turn for turn in everybody if self._asked_from[turn] <= now] or everybody[:1]
        for turn in turns[:-1]:
            try:
                answer = self._ask(turn, request)
            except httpx.TransportError:
                continue
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                self._last = turn
                return answer
            answer.close()
        self._last = turns[-1]
        return self._ask(turns[-1], request)

    def close(self) -> None:
        self._transport.close()

    def _ask(self, turn: int, request: httpx.Request) -> httpx.Response:
        url = self._urls[turn]
        request.url = request.url.copy_with(scheme=url.scheme, host=url.host, port=url.port)
        try:
            return self._transport.handle_request(request)
        except httpx.TimeoutException:
            self._asked_from[turn] = self._clock() + SILENT_PAUSE_S
            raise


def worker_client(
    urls: Sequence[str], timeout: httpx.Timeout, tokens: Sequence[str] = (), ca: Path | None = None
) -> httpx.Client:
    """A client of the workers at ``urls``. It sends the first read token; ``ca`` has the CA of their certificates."""
    verify = True if ca is None else ssl.create_default_context(cafile=ca)
    transport = AnyWorker(urls, TimedTransport(verify))
    headers = {"Authorization": f"Bearer {tokens[0]}"} if tokens else {}
    return httpx.Client(base_url=urls[0], timeout=timeout, transport=transport, headers=headers)


class WorkerViews:
    """The views as they are asked. Each raises Unavailable if no worker can tell."""

    def __init__(self, settings: Settings) -> None:
        self._client = worker_client(settings.worker_urls, TIMEOUT, settings.worker_token_list, settings.worker_ca)

    def purchase(self, event: UUID, purchase: UUID) -> dict[str, Any] | None:
        """The ledger's view of a purchase; None if it has none of that id."""
        return self._view(_objects, f"/api/purchase/{event}/{purchase}/")

    def on_record(self, event: UUID, purchases: Collection[UUID]) -> set[UUID]:
        """Which of these purchases the ledger has on record."""
        return self._view(_ids, f"/api/purchases/{event}/{','.join(one.hex for one in purchases)}/") or set()

    def stock(self, event: UUID) -> Sequence[TypeView]:
        """The stock of an event's ticket types by the ledger; none if it has no event of that id."""
        found = self._view(_stocks, f"/api/event/{event}/")
        return () if found is None else found.ticket_types

    def definitions(self, partition: int, events: Collection[UUID]) -> list[DefineEvent]:
        """The definitions by which the ledger sells those of these events of a partition that it knows; at most 50."""
        found = self._view(_definitions, f"/api/definitions/{partition}/{','.join(one.hex for one in events)}/")
        if found is None:  # a worker of an earlier version
            raise Unavailable(WORKER)
        return found

    def probe(self) -> None:
        """Raises unless a worker is ready."""
        self._get("/health/ready").raise_for_status()

    def close(self) -> None:
        self._client.close()

    def _view(self, decoder: msgspec.json.Decoder[View], path: str) -> View | None:
        """What a worker answers; None for 404. Raises Unavailable, also for an answer that no worker wrote."""
        answer = self._get(path)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if not answer.is_success:
            raise Unavailable(WORKER)
        try:
            return decoder.decode(answer.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unavailable(WORKER) from error

    def _get(self, path: str) -> httpx.Response:
        try:
            return self._client.get(path)
        except httpx.HTTPError as error:
            raise Unavailable(WORKER) from error


def recorded_definitions(views: WorkerViews, partitions: int, events: Sequence[UUID]) -> dict[UUID, DefineEvent]:
    """The definitions of those of at most 50 events that the ledger knows, by one request a partition.

    Raises Unavailable if no worker can tell.
    """
    homes: defaultdict[int, list[UUID]] = defaultdict(list)
    for event in events:
        homes[home_of(event, partitions)].append(event)
    asked = (views.definitions(partition, some) for partition, some in homes.items())
    return {found.event: found for some in asked for found in some}
