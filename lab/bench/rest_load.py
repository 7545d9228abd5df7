"""The load on the API, from a process of its own. Latencies count from the intended moment of each request.

``python -m lab.bench load`` reads a Plan from standard input and writes what came of it to standard output, both
JSON.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import Final, cast
from uuid import UUID

import msgspec
import rich_click as click
import uvloop
from msgspec import Struct

STALL_TIMEOUT_S: Final = 60.0
BASE: Final = "/api/v3"


class SeatOrder(Struct, frozen=True, array_like=True):
    """One seat of the show of that number: ``seat`` by name, or the best one of ``section``."""

    show: int
    seat: str = ""
    section: str = ""

    @property
    def fields(self) -> str:
        """The fields that it adds to a line."""
        return f',"seats":["{self.seat}"]' if self.seat else f',"best":{{"section":"{self.section}"}}'


class Plan(Struct, frozen=True, kw_only=True):
    """What to send. ``rate`` 0 means as fast as ``connections`` answers allow; else so many a second, whatever happens.

    Each request is by another of ``accounts``; ``tokens`` are theirs, in the same order, if the API wants any.
    The requests go to the shows in turn, or are those of ``orders``, if there are any.
    """

    host: str
    port: int
    requests: int
    connections: int
    rate: float = 0.0
    seed: int = 1
    shows: list[tuple[UUID, list[UUID]]]
    accounts: list[UUID]
    tokens: list[str] = []
    quantity: int = 1
    orders: list[SeatOrder] = []


class Sent(Struct, frozen=True, array_like=True):
    """One request: when it was meant to be sent (s from the start), how long its answer took (s), status, reason."""

    at: float
    seconds: float
    status: int
    reason: str


class Report(Struct, frozen=True):
    """All answers in the order in which they came."""

    answers: list[Sent]

    def statuses(self) -> Counter[int]:
        """How many answers had each status; 0 is no answer."""
        return Counter(answer.status for answer in self.answers)

    def milliseconds(self, share: float, since: float = 0.0) -> float:
        """The latency that this share (0 to 1) of the requests meant for ``since`` or later stayed within."""
        sorted_ = sorted(answer.seconds for answer in self.answers if answer.at >= since)
        return 1000 * sorted_[min(len(sorted_) - 1, int(share * len(sorted_)))]

    def rate(self) -> float:
        """Answers for each second, from the first request to the last answer."""
        return len(self.answers) / max(answer.at + answer.seconds for answer in self.answers)


class Connection(asyncio.Protocol):
    """One keep-alive connection that has at most one request on its way."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.transport: asyncio.Transport | None = None
        self.meant = -1.0
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take requests from now on."""
        self.transport = cast("asyncio.Transport", transport)

    def send(self, meant: float, request: bytes) -> None:
        """Send a request that was meant for that moment."""
        assert self.transport is not None
        self.meant = meant
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer; a whole answer frees the connection."""
        received = self.received + data if self.received else data
        end = received.find(b"\r\n\r\n")
        if end < 0 or len(received) < end + 4 + _length(received, end):
            self.received = received
            return
        self.received = b""
        head = received[:end]
        self.load.answered(self.meant, int(head[9:12]), _reason(received[end:]))
        self.meant = -1.0
        if b"connection: close" in head.lower() and self.transport is not None:
            self.transport.close()
            return
        self.load.free(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Count the request that was under way as unanswered."""
        self.transport = None
        self.load.lost(self)
        if self.meant >= 0:
            self.load.answered(self.meant, 0, "")
            self.meant = -1.0


def _length(received: bytes, end: int) -> int:
    head = received[:end].lower()
    place = head.find(b"content-length:")
    return int(head[place + 15 : head.find(b"\r\n", place) % (end + 1)]) if place >= 0 else 0


def _reason(body: bytes) -> str:
    start = body.find(b'"/problems/')
    return body[start + 11 : body.find(b'"', start + 11)].decode() if start >= 0 else ""


class Load:
    """Sends the plan's requests and keeps the answers."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.answers: list[Sent] = []
        self.idle: deque[Connection] = deque()
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.opened = 0
        self.began = 0.0
        self.done = asyncio.Event()
        self.requests = requests(plan)

    async def run(self) -> Report:
        """Send everything, wait for every answer."""
        for _ in range(min(self.plan.connections, 64)):
            await self._open()
        self.began = time.perf_counter()
        sending = asyncio.create_task(self._paced() if self.plan.rate else self._steady())
        async with asyncio.timeout(STALL_TIMEOUT_S + self.plan.requests / (self.plan.rate or 100.0)):
            await self.done.wait()
        await sending
        return Report(self.answers)

    async def _paced(self) -> None:
        for number, request in enumerate(self.requests):
            meant = number / self.plan.rate
            ahead = meant - (time.perf_counter() - self.began)
            if ahead > 0:
                await asyncio.sleep(ahead)
            elif number % 16 == 0:
                await asyncio.sleep(0)
            self._hand_out(meant, request)

    async def _steady(self) -> None:
        while self.opened < self.plan.connections:
            await self._open()
        self.began = time.perf_counter()
        while self.idle:
            self.free(self.idle.popleft())

    def _hand_out(self, meant: float, request: bytes) -> None:
        if self.idle:
            self.idle.pop().send(meant, request)
            return
        self.waiting.append((meant, request))
        if self.opened < self.plan.connections:
            self.opened += 1
            self._opening = asyncio.ensure_future(self._connect())

    async def _open(self) -> None:
        self.opened += 1
        await self._connect()

    async def _connect(self) -> None:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(self), self.plan.host, self.plan.port
            )
        except OSError:
            self.opened -= 1
            if self.waiting:
                self.answered(self.waiting.popleft()[0], 0, "")
            return
        if self.began:
            self.free(connection)
        else:
            self.idle.append(connection)

    def free(self, connection: Connection) -> None:
        """Give the connection a waiting request, or the next one if the load has no rate."""
        if self.waiting:
            connection.send(*self.waiting.popleft())
        elif self.plan.rate:
            self.idle.append(connection)
        elif (request := next(self.requests, None)) is not None:
            connection.send(time.perf_counter() - self.began, request)

    def lost(self, connection: Connection) -> None:
        """The connection is gone."""
        self.opened -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        if self.waiting or not self.plan.rate:
            self.opened += 1
            self._opening = asyncio.ensure_future(self._connect())

    def answered(self, meant: float, status: int, reason: str) -> None:
        """Count an answer; the last one ends the run."""
        self.answers.append(Sent(meant, time.perf_counter() - self.began - meant, status, reason))
        if len(self.answers) == self.plan.requests:
            self.done.set()


def requests(plan: Plan) -> Iterator[bytes]:
    """The requests as they go over the wire."""
    rng = random.Random(plan.seed)
    for number in range(plan.requests):
        order = plan.orders[number] if plan.orders else None
        event, types = plan.shows[order.show if order else number % len(plan.shows)]
        who = number % len(plan.accounts)
        line = f'"ticketTypeId":"{rng.choice(types)}","quantity":{plan.quantity}{order.fields if order else ""}'
        body = f'{{"eventId":"{event}","accountId":"{plan.accounts[who]}","lines":[{{{line}}}]}}'
        token = f"Authorization: Bearer {plan.tokens[who]}\r\n" if plan.tokens else ""
        yield (
            f"POST {BASE}/purchases HTTP/1.1\r\nHost: {plan.host}:{plan.port}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: load-{plan.seed}-{number}\r\n{token}Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


@click.command(name="load", hidden=True)
def command() -> None:
    """Carry out one Plan from standard input, and write a Report to standard output."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    uvloop.install()
    report = asyncio.run(_run(plan))
    _write(msgspec.json.encode(report))


def _write(text: bytes) -> None:
    """Write all of it: the event loop may have set the pipe to non-blocking."""
    out = sys.stdout.fileno()
    os.set_blocking(out, True)
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(out, rest) :]


async def _run(plan: Plan) -> Report:
    return await Load(plan).run()
