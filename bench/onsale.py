"""An on-sale: one event, buyers who all come at once, some by REST, some straight to Kafka, some twice."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4, uuid5

import httpx
from aiokafka import AIOKafkaProducer

from bench.target import Target
from connect.topics import COMMANDS
from tables.commands import Line, Purchase, encode_command

TYPES = (("Standing", 300, "39.90"), ("Seated", 150, "59.90"), ("Balcony", 50, "89.90"))
TWICE = 0.2
BY_KAFKA = 0.3
AT_ONCE = 200
SETTLING_S = 30.0


@dataclass(slots=True)
class Request:
    """One purchase that a buyer wants, and what came of it."""

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
        """The purchase's id, as the API makes it too."""
        return uuid5(self.account, self.key)


@dataclass(slots=True)
class OnSale:
    """The event on sale and all that is asked of it."""

    event: UUID
    title: str
    types: dict[UUID, tuple[str, int]]
    requests: list[Request]


Tick = Callable[[int], None]


def client(target: Target) -> httpx.AsyncClient:
    """An HTTP client of the API that waits long enough for a crowd."""
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    return httpx.AsyncClient(base_url=f"{target.api}/api/v3", timeout=60.0, limits=limits, trust_env=False)


async def make_event(http: httpx.AsyncClient) -> tuple[UUID, str, dict[UUID, tuple[str, int]]]:
    """An organizer, an event that is on sale, and its three ticket types."""
    organizer = await _account(http, "Organizer")
    starts = datetime.now(UTC).replace(microsecond=0) + timedelta(days=60)
    title = f"Demonstration night {uuid4().hex[:6]}"
    body = {
        "organizerId": organizer,
        "title": title,
        "description": "An on-sale in which 800 people want 500 tickets at the same moment.",
        "venue": "Old Gasworks",
        "city": "Vienna",
        "country": "AT",
        "tags": ["demonstration"],
        "startsAt": starts.isoformat(),
        "endsAt": (starts + timedelta(hours=3)).isoformat(),
        "timeZone": "Europe/Vienna",
        "status": "ACTIVE",
    }
    event = _created(await http.post("/events", json=body))["id"]
    types = {}
    for name, quantity, price in TYPES:
        ticket = {"name": name, "quantity": quantity, "price": {"amount": price, "currency": "EUR"}}
        types[UUID(_created(await http.post(f"/events/{event}/tickets", json=ticket))["id"])] = (name, quantity)
    return UUID(event), title, types


async def make_buyers(http: httpx.AsyncClient, count: int, tick: Tick) -> list[UUID]:
    """So many accounts."""

    async def one(number: int) -> UUID:
        account = UUID(await _account(http, f"Buyer {number}"))
        tick(1)
        return account

    return await asyncio.gather(*(one(number) for number in range(count)))


def plan(buyers: list[UUID], types: dict[UUID, tuple[str, int]], seed: int) -> list[Request]:
    """What each buyer asks for: one or two tickets of a type, in proportion to the stock."""
    dice = random.Random(seed)
    kinds, weights = list(types), [quantity for _, quantity in types.values()]
    return [
        Request(
            account=buyer,
            key=f"demo-{number}",
            ticket_type=dice.choices(kinds, weights)[0],
            quantity=dice.choice((1, 1, 2)),
            by_kafka=dice.random() < BY_KAFKA,
            times=2 if dice.random() < TWICE else 1,
        )
        for number, buyer in enumerate(buyers)
    ]


async def settled(target: Target, event: UUID, types: int) -> None:
    """Wait until the ledger knows the event with all its types. Raises TimeoutError."""
    deadline = time.monotonic() + SETTLING_S
    async with httpx.AsyncClient(timeout=5.0, trust_env=False) as http:
        while True:
            answer = await http.get(f"{target.worker}/api/event/{event}/")
            if answer.status_code == httpx.codes.OK and len(answer.json()["ticketTypes"]) == types:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"the ledger does not know event {event} after {SETTLING_S:.0f} s")
            await asyncio.sleep(0.1)


async def rush(target: Target, http: httpx.AsyncClient, sale: OnSale, tick: Tick) -> None:
    """Send every request, as often as it is to be sent, all at once."""
    producer = AIOKafkaProducer(bootstrap_servers=target.kafka, acks="all", linger_ms=2)
    await producer.start()
    try:
        sends = [
            _by_kafka(producer, sale, request, tick) if request.by_kafka else _by_rest(http, sale, request, tick)
            for request in sale.requests
            for _ in range(request.times)
        ]
        await asyncio.gather(*sends)
    finally:
        await producer.stop()


async def _by_rest(http: httpx.AsyncClient, sale: OnSale, request: Request, tick: Tick) -> None:
    body = {
        "eventId": str(sale.event),
        "accountId": str(request.account),
        "lines": [{"ticketTypeId": str(request.ticket_type), "quantity": request.quantity}],
    }
    began = time.monotonic()
    answer = await http.post("/purchases", json=body, headers={"Idempotency-Key": request.key})
    request.seconds.append(time.monotonic() - began)
    request.answers.append((answer.status_code, _verdict(answer)))
    tick(1)


def _verdict(answer: httpx.Response) -> str:
    if answer.is_success:
        return str(answer.json()["status"])
    return str(answer.json().get("type", "")).rpartition("/")[2]


async def _by_kafka(producer: AIOKafkaProducer, sale: OnSale, request: Request, tick: Tick) -> None:
    lines = [Line(request.ticket_type, request.quantity)]
    command = Purchase(sale.event, request.purchase, request.account, lines)
    await producer.send_and_wait(COMMANDS, encode_command(command), key=str(sale.event).encode())
    tick(1)


async def _account(http: httpx.AsyncClient, name: str) -> str:
    body = {"firstName": "Demo", "lastName": name, "email": f"{uuid4().hex}@turnstile.example"}
    return str(_created(await http.post("/accounts", json=body))["id"])


def _created(answer: httpx.Response) -> dict[str, str]:
    if answer.status_code != httpx.codes.CREATED:
        raise RuntimeError(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}")
    created: dict[str, str] = answer.json()
    return created
