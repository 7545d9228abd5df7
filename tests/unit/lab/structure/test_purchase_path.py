"""The modules that run for one purchase, from the socket to its outcome. Kafka and PostgreSQL are played.

``lab.structure`` counts more: all that those modules import, which a purchase may never call.
"""

import asyncio
import json
import socket
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, Final, NamedTuple
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from faust.types import TP

from api.adapters.catalogue_check import CatalogueRows
from api.adapters.ledger.client import LedgerClient
from api.adapters.ledger.command_producer import CommandProducer
from api.adapters.ledger.known_purchases import KnownPurchases
from api.adapters.ledger.outcome_consumer import OutcomeConsumer, OutcomeFanout
from api.adapters.ledger.pending_requests import PendingRequests
from api.adapters.ledger.sold_out_cache import SoldOutCache
from api.auth.tokens import Tokens
from api.http.server import HttpServer
from api.http_application import HttpApplication
from api.ports.purchasing import PurchasePorts
from api.purchasing.service import PurchaseFastPath
from api.roles import Role
from api.telemetry.request_metrics import RequestCounters
from api.web.wsgi_threads import WsgiThreads
from connect.topics import COMMANDS, OUTCOMES
from settings import Settings
from streams.inventory.ledger import LedgerAgent
from streams.runtime.agents import in_batches
from streams.runtime.app import make_app
from streams.runtime.consumer import BatchConsumer
from streams.runtime.kafka_types import Message
from tests.unit.api.adapters.test_catalogue_check import World as Catalogue
from tests.unit.api.fakes.accounts import FakeRevocations
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.ledger import FakeHolders
from tests.unit.api.http.running import HOST, STOPS_SOON
from tests.unit.api.soon import soon

CHECKOUT: Final = Path(__file__).parents[4]
PARTITIONS: Final = 4
RUN_MAX_MODULES: Final = 40
ENDS: Final = {
    "api.http.server",
    "api.http_application",
    "api.adapters.ledger.client",
    "streams.inventory.ledger",
}


class Stored(NamedTuple):
    """What a producer learns of a batch."""

    offset: int
    timestamp: int


class Batch:
    """Records that are sent together."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes]] = []

    def append(self, *, timestamp: None, key: bytes, value: bytes, headers: list[Any]) -> object:
        self.records.append((key, value))
        return self

    def record_count(self) -> int:
        return len(self.records)

    def close(self) -> None: ...


class Log:
    """Every topic, and the producer of both sides. Commands reach the ledger's queue at once."""

    def __init__(self) -> None:
        self.topics: defaultdict[tuple[str, int], list[tuple[bytes, bytes]]] = defaultdict(list)
        self.queue: Any = None

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def maybe_start(self) -> None: ...

    def _ensure_producer(self) -> "Log":
        return self

    async def partitions_for(self, topic: str) -> set[int]:
        return set(range(PARTITIONS))

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> Awaitable[Stored]:
        log, now = self.topics[topic, partition], time.time()
        stored: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        stored.set_result(Stored(len(log), round(now * 1000)))
        if topic == COMMANDS:
            messages = [
                Message(topic, partition, len(log) + place, now, (), key, value, TP(topic, partition), 1)
                for place, (key, value) in enumerate(batch.records)
            ]
            self.queue.put_all(messages, lambda: None, lambda: None)
        log += batch.records
        return stored


class Reader:
    """The consumer of the outcomes."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._positions = {TopicPartition(OUTCOMES, number): 0 for number in range(PARTITIONS)}

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def assignment(self) -> set[TopicPartition]:
        return set(self._positions)

    def unsubscribe(self) -> None: ...

    def assign(self, partitions: list[TopicPartition]) -> None: ...

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._positions[partition] = offset

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {each: len(self._log.topics[OUTCOMES, each.partition]) for each in partitions}

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(0.001)
        found = {}
        for place, position in self._positions.items():
            log = self._log.topics[OUTCOMES, place.partition]
            if fresh := [_read(place, offset, *log[offset]) for offset in range(position, len(log))]:
                found[place] = fresh
                self._positions[place] = len(log)
        return found


def _read(place: TopicPartition, offset: int, key: bytes, value: bytes) -> Any:
    return SimpleNamespace(topic=place.topic, partition=place.partition, offset=offset, key=key, value=value)


class WorkersConsumer:
    """As much of the worker's consumer as its agents use."""

    check_gaps = BatchConsumer.check_gaps
    _check_gap = BatchConsumer._check_gap
    complete = BatchConsumer.complete

    def __init__(self) -> None:
        self.unacked: set[Message] = set()
        self._starts = {TP(COMMANDS, number): 0 for number in range(PARTITIONS)}
        self._completed: dict[TP, dict[str, int]] = {}
        self._skips = self
        self.app = SimpleNamespace(consumer_generation_id=1)

    def accepts(self, agent: str) -> bool:
        return True

    def start_offset(self, tp: TP) -> int:
        return 0

    def next_readable(self, tp: TP, offset: int) -> int:
        return offset


@contextmanager
def ran() -> Iterator[set[str]]:
    """The modules of this checkout, but for tests, whose functions this thread calls inside."""
    found: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            found.add(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)
        inside = [Path(each).relative_to(CHECKOUT) for each in found if each.startswith(f"{CHECKOUT}/")]
        found.clear()
        names = (
            ".".join(each.with_suffix("").parts) for each in inside if not each.parts[0].startswith(("tests", ".venv"))
        )
        found.update(name.removesuffix(".__init__") for name in names)


@asynccontextmanager
async def ledger(log: Log, home: Path) -> AsyncIterator[None]:
    """A worker's agent that decides what comes to the log."""
    app = make_app(Settings(ticket_key="k" * 32, worker_data=home))
    app.conf.tabledir.mkdir(parents=True, exist_ok=True)
    app.consumer, app.producer = WorkersConsumer(), log  # type: ignore[assignment]
    log.queue = app.FlowControlQueue(1_000)
    agent = LedgerAgent(app)

    async def started() -> None: ...

    stream: Any = SimpleNamespace(
        app=app, channel=SimpleNamespace(queue=log.queue), should_stop=False, maybe_start=started
    )
    batches = in_batches(stream, agent._handle, in_flight=app.in_flight, max_records=100, name="ledger")
    deciding = asyncio.create_task(batches)
    try:
        yield
    finally:
        deciding.cancel()
        await asyncio.wait([deciding])
        agent.table.close()


@asynccontextmanager
async def serving(ports: PurchasePorts) -> AsyncIterator[int]:
    """The API's server with the fast path alone; its port."""
    listener = socket.socket()
    listener.bind((HOST, 0))
    application = HttpApplication(PurchaseFastPath(ports), WsgiThreads(lambda *_: []), RequestCounters())
    server = HttpServer(application, listener, STOPS_SOON)
    running = asyncio.create_task(server.serve())
    await soon(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await running


async def bought(port: int, token: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a purchase is answered."""
    reader, writer = await asyncio.open_connection(HOST, port)
    content = json.dumps(body).encode()
    head = (
        f"POST /api/v3/purchases HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {uuid4()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + content)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    first, _, rest = answer.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 201 "), answer
    said: dict[str, Any] = json.loads(rest)
    return said


async def path_of_a_purchase(home: Path) -> set[str]:
    """The modules that run for the second purchase of an event."""
    log, catalogue = Log(), Catalogue()
    producer = CommandProducer({}, PARTITIONS, lambda _: log)
    pending, sold_out = PendingRequests(), SoldOutCache()
    consumer = OutcomeConsumer({}, OutcomeFanout(sold_out.read, pending.read), lambda _: Reader(log))
    client = LedgerClient(producer, consumer, pending, sold_out, KnownPurchases(lambda event, purchases: set()))
    nothing: Any = None
    rows = CatalogueRows(nothing, catalogue.listing, catalogue.pieces, producer.announce)
    tokens, event = Tokens(["k" * 32], 900), catalogue.current
    token, _ = tokens.issue(uuid4(), frozenset({Role.BUYER}))
    ports = PurchasePorts(
        tokens=tokens,
        revocations=FakeRevocations(),
        catalogue=rows,
        ledger=client,
        holders=FakeHolders(),
        clock=lambda: NOW,
    )
    line = {"ticketTypeId": str(event.tickets[0].id), "quantity": 2}
    body = {"eventId": str(event.event.id), "lines": [line]}
    async with ledger(log, home), serving(ports) as port:
        client.open()
        await soon(lambda: client.is_ready)
        await bought(port, token, body)
        with ran() as found:
            said = await bought(port, token, body)
        assert (said["status"], said["lines"][0]["quantity"]) == ("confirmed", 2)
        await client.close()
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    return asyncio.run(path_of_a_purchase(tmp_path_factory.mktemp("worker")))


def test_a_purchase_runs_few_modules_from_the_socket_to_its_outcome(path: set[str]) -> None:
    assert path >= ENDS
    assert len(path) <= RUN_MAX_MODULES, sorted(path)
