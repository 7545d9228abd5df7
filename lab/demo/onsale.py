"""An on-sale: one event and buyers who all come at once, over REST or straight to Kafka; some send twice."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import BAD_REQUEST, CONFLICT, CREATED, SERVICE_UNAVAILABLE
from typing import Any
from uuid import UUID, uuid4, uuid5

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from aiokafka import AIOKafkaProducer

from connect.partitioning import key_and_home
from connect.topics import COMMANDS
from lab.target import Target
from tables.messages.commands import Buy, TicketLine, encode_command

TICKET_TYPES = (("Standing", 300, "39.90"), ("Seated", 150, "59.90"), ("Balcony", 50, "89.90"))
REPEATED_SHARE = 0.2
KAFKA_SHARE = 0.3
CONNECTIONS_MAX = 1_000
TIMEOUT_S = 60.0
BASE = "/api/v3"
SETTLE_MAX_S = 30.0
TURNED_AWAY = (int(CONFLICT), "sold-out")
STILL_RUNNING = (int(CONFLICT), "still-running")


@dataclass(slots=True)
class Request:
    """One purchase that a buyer asks for, and its answers."""

    account: UUID
    key: str
    ticket_type: UUID
    quantity: int
    by_kafka: bool
    times: int
    answers: list[tuple[int, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def purchase(self) -> UUID:
        """The purchase's id, which the API derives in the same way."""
        return uuid5(self.account, self.key)

    @property
    def turned_away(self) -> bool:
        """Whether every answer was "sold out", for which the API need not have asked the ledger.

        A copy that came meanwhile may have been told that the first was still running.
        """
        return set(self.answers) - {STILL_RUNNING} == {TURNED_AWAY}


@dataclass(slots=True)
class OnSale:
    """The event on sale and all requests."""

    event: UUID
    title: str
    types: dict[UUID, tuple[str, int]]
    requests: Sequence[Request]


Tick = Callable[[int], None]


def client() -> ClientSession:
    """An HTTP client with a connection for each buyer."""
    return ClientSession(connector=TCPConnector(limit=CONNECTIONS_MAX), timeout=ClientTimeout(total=TIMEOUT_S))


async def make_event(
    target: Target,
    http: ClientSession,
    about: str = "An on-sale in which 800 people want 500 tickets at the same moment.",
    ticket_types: Iterable[tuple[str, int, str]] = TICKET_TYPES,
) -> tuple[UUID, str, dict[UUID, tuple[str, int]]]:
    """An organizer, an event that is on sale, and its ticket types, each with name, quantity and price."""
    organizer = await _account(target, http, "Organizer")
    starts = datetime.now(UTC).replace(microsecond=0) + timedelta(days=60)
    title = f"Demonstration night {uuid4().hex[:6]}"
    body = {
        "organizerId": organizer,
        "title": title,
        "description": about,
        "venue": "Old Gasworks",
        "city": "Vienna",
        "country": "AT",
        "tags": ["demonstration"],
        "startsAt": starts.isoformat(),
        "endsAt": (starts + timedelta(hours=3)).isoformat(),
        "timeZone": "Europe/Vienna",
        "status": "ACTIVE",
    }
    event = await _created(target, http, "/events", body)
    types = {}
    for name, quantity, price in ticket_types:
        ticket = {"name": name, "quantity": quantity, "price": {"amount": price, "currency": "EUR"}}
        types[UUID(await _created(target, http, f"/events/{event}/tickets", ticket))] = (name, quantity)
    return UUID(event), title, types


async def make_buyers(target: Target, http: ClientSession, count: int, tick: Tick) -> list[UUID]:
    """Make so many accounts."""

    async def one(number: int) -> UUID:
        account = UUID(await _account(target, http, f"Buyer {number}"))
        tick(1)
        return account

    return await asyncio.gather(*(one(number) for number in range(count)))


def requests_of(buyers: list[UUID], types: dict[UUID, tuple[str, int]], seed: int) -> list[Request]:
    """A request of each buyer: one or two tickets of a type, in proportion to the stock."""
    rng = random.Random(seed)
    kinds, weights = list(types), [quantity for _, quantity in types.values()]
    return [
        Request(
            account=buyer,
            key=f"demo-{number}",
            ticket_type=rng.choices(kinds, weights)[0],
            quantity=rng.choice((1, 1, 2)),
            by_kafka=rng.random() < KAFKA_SHARE,
            times=2 if rng.random() < REPEATED_SHARE else 1,
        )
        for number, buyer in enumerate(buyers)
    ]


async def settled(target: Target, http: ClientSession, event: UUID, types: int) -> None:
    """Wait until the ledger knows the event with all its types. Raises TimeoutError."""
    deadline = time.monotonic() + SETTLE_MAX_S
    while True:
        async with http.get(f"{target.worker}/api/event/{event}/") as answer:
            if answer.ok and len((await answer.json())["ticketTypes"]) == types:
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"the ledger does not know event {event} after {SETTLE_MAX_S:.0f} s")
        await asyncio.sleep(0.1)


async def rush(target: Target, http: ClientSession, sale: OnSale, tick: Tick) -> None:
    """Send every request as often as it says, all at once."""
    producer = AIOKafkaProducer(**target.kafka, acks="all", linger_ms=2)
    await producer.start()
    try:
        sends = [
            _by_kafka(target, producer, sale, request) if request.by_kafka else _by_rest(target, http, sale, request)
            for request in sale.requests
            for _ in range(request.times)
        ]
        for sent in asyncio.as_completed(sends):
            await sent
            tick(1)
    finally:
        await producer.stop()


async def _by_rest(target: Target, http: ClientSession, sale: OnSale, request: Request) -> None:
    body = {
        "eventId": str(sale.event),
        "accountId": str(request.account),
        "lines": [{"ticketTypeId": str(request.ticket_type), "quantity": request.quantity}],
    }
    began = time.monotonic()
    headers = {"Idempotency-Key": request.key} | target.bearer(request.account)
    status, answer = await post(http, f"{target.api}{BASE}/purchases", body, headers)
    request.seconds.append(time.monotonic() - began)
    request.answers.append((status, word(status, answer)))


async def post(
    http: ClientSession, url: str, body: dict[str, Any], headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer; a 503 is retried, as a buyer's program should."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        async with http.post(url, json=body, headers=headers) as answer:
            said = answer.status, await answer.json(content_type=None)
            pause = int(answer.headers.get("Retry-After", "1"))
        if said[0] != SERVICE_UNAVAILABLE or time.monotonic() + pause > deadline:
            return said
        await asyncio.sleep(pause)


def word(status: int, answer: dict[str, Any]) -> str:
    """A purchase's status, or the last part of a problem's type."""
    return str(answer["type"].rpartition("/")[2] if status >= BAD_REQUEST else answer["status"])


async def _by_kafka(target: Target, producer: AIOKafkaProducer, sale: OnSale, request: Request) -> None:
    lines = [TicketLine(request.ticket_type, request.quantity)]
    command = Buy(sale.event, request.purchase, request.account, lines)
    key, home = key_and_home(sale.event.int, target.partitions)
    await producer.send_and_wait(COMMANDS, encode_command(command), key, home)


async def _account(target: Target, http: ClientSession, name: str) -> str:
    body = {"firstName": "Demo", "lastName": name, "email": f"{uuid4().hex}@turnstile.example"}
    return await _created(target, http, "/accounts", body)


async def _created(target: Target, http: ClientSession, path: str, body: dict[str, Any]) -> str:
    """The id of what was made. Raises RuntimeError with the answer if it was not."""
    status, answer = await post(http, f"{target.api}{BASE}{path}", body, target.administrator())
    if status != CREATED:
        raise RuntimeError(f"POST {path}: {status} {answer}")
    return str(answer["id"])
